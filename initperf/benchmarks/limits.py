"""What the hardware allows, measured there and then: stores, triad, matrix products, FMA.

A limit is the best of several short runs, because nothing makes a machine faster than it is
while much makes it slower. Triad is that of STREAM (McCalpin 1995).
"""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np

from initperf.jit.blas import blas_threads
from initperf.jit.fma import FMAS_A_TURN, fma_chains
from initperf.jit.policy import jit

Task = Callable[[int], Any]


@dataclass(frozen=True)
class Limit:
    """A rate that no program exceeds.

    Attributes
    ----------
    name : str
        What was done at that rate.
    value : float
        The rate; NaN where it cannot be measured.
    unit : str
        ``"B/s"`` or ``"FLOP/s"``.
    threads : int
        How many threads did it.
    """

    name: str
    value: float
    unit: str
    threads: int

    def seconds(self, amount: float) -> float:
        """Return the seconds that an amount of the unit takes at least."""
        return amount / self.value

    @property
    def words(self) -> str:
        """The limit's name with its threads, as tables show it."""
        return f"{self.name}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def __str__(self) -> str:
        return f"{self.words}: {self.value / 1e9:.3g} G{self.unit}"


def stores(count: int = 2**24, dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure plain stores into an existing array: no fill can be faster.

    Parameters
    ----------
    count : int
        Values in the array. What fits a cache is stored at the cache's rate, so ask for the
        size of the work that the limit shall stand beside.
    dtype : str
        Of the values.
    threads : int
        Each stores its share.

    Returns
    -------
    Limit
        In bytes per second.
    """
    one = np.ones((), dtype)[()]
    arrays = np.array_split(np.zeros(count, dtype), threads)
    tasks = [partial(_store, array, one) for array in arrays]
    moved = count * one.nbytes
    return Limit("plain stores", moved / _seconds_a_turn(tasks), "B/s", threads)


def triad(count: int = 2**23, dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure a[i] = b[i] + c · d[i]; parameters as for `stores`, counting three arrays."""
    one = np.ones((), dtype)[()]
    arrays = (np.array_split(np.ones(count, dtype), threads) for _ in range(3))
    tasks = [partial(_triad, *shares, one) for shares in zip(*arrays, strict=True)]
    moved = 3 * count * one.nbytes
    return Limit("triad", moved / _seconds_a_turn(tasks), "B/s", threads)


def gemm(size: int = 1024, dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure the product of two square matrices by NumPy's BLAS.

    Parameters
    ----------
    size : int
        Rows and columns.
    dtype : str
        Of the matrices.
    threads : int
        Of the BLAS.

    Returns
    -------
    Limit
        In floating-point operations per second, two for each multiplication.
    """
    a, b, product = (np.ones((size, size), dtype) for _ in range(3))

    def multiply(turns: int) -> None:
        for _ in range(turns):
            np.matmul(a, b, out=product)

    with blas_threads(threads):
        return Limit(
            "matrix products", 2 * size**3 / _seconds_a_turn([multiply]), "FLOP/s", threads
        )


def fma(dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure fused multiply-adds on registers: the processor's peak, in operations per second."""
    if numba.config.DISABLE_JIT:
        return Limit("FMA", math.nan, "FLOP/s", threads)
    half = np.full((), 0.5, dtype)[()]
    tasks = [lambda turns: fma_chains(1000 * turns, half)] * threads
    operations = 2 * threads * 1000 * FMAS_A_TURN[dtype]
    return Limit("FMA", operations / _seconds_a_turn(tasks), "FLOP/s", threads)


def measure_limits(dtype: str = "float32", threads: int = 1) -> tuple[Limit, ...]:
    """Measure all of them for a dtype and a number of threads; about a second."""
    return (
        stores(dtype=dtype, threads=threads),
        triad(dtype=dtype, threads=threads),
        gemm(dtype=dtype, threads=threads),
        fma(dtype, threads),
    )


@jit
def _store(out: Any, value: Any, turns: Any) -> None:
    stored = value
    for _ in range(turns):
        stored += value
        for i in range(out.size):
            out[i] = stored


@jit
def _triad(out: Any, left: Any, right: Any, scale: Any, turns: Any) -> None:
    factor = scale
    for _ in range(turns):
        factor += scale
        for i in range(out.size):
            out[i] = left[i] + factor * right[i]


def _seconds_a_turn(tasks: Sequence[Task], sample: float = 0.002, budget: float = 0.1) -> float:
    """Return the least seconds that one turn of all tasks side by side takes.

    Turns are repeated within the tasks, so that starting the threads counts for nothing.
    """
    with ThreadPoolExecutor(len(tasks)) as pool:

        def elapsed(turns: int) -> float:
            begin = time.perf_counter()
            for running in [pool.submit(task, turns) for task in tasks]:
                running.result()
            return time.perf_counter() - begin

        elapsed(1)
        turns = 1
        while elapsed(turns) < sample:
            turns *= 2
        samples: list[float] = []
        while len(samples) < 3 or sum(samples) < budget:
            samples.append(elapsed(turns))
        return min(samples) / turns
