"""Limits of the hardware, measured where they are needed: stores, triad, matrix products, FMA.

A limit is the best of several short runs: disturbances only slow a machine. Triad is that of
STREAM (McCalpin 1995).
"""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from initperf.jit.blas import blas_threads
from initperf.jit.cache_lines import (
    LINE_BYTES,
    finish_streams,
    first_of_line,
    stream_line,
)
from initperf.jit.fma import FMAS_A_TURN, fma_chains
from initperf.jit.internals import compiles
from initperf.jit.policy import jit

Task = Callable[[int], Any]

_STANDING, _LOWER = 10, 0.995
"""Samples in a row that leave the least standing, and the factor by which one lowers it."""

_LARGE_BYTES = 2**23
"""Bytes below which an array is taken to fit a cache, where non-temporal stores are slower."""


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


def store_tasks(count: int, dtype: str, threads: int) -> list[Task]:
    """Return tasks that store one value into an array, a share of it each.

    Parameters
    ----------
    count : int
        Values in the array.
    dtype : str
        Of the values.
    threads : int
        How many tasks there are; they may run side by side.

    Returns
    -------
    list of callable
        ``task(turns)`` stores the share so many times.
    """
    one = np.ones((), dtype)[()]
    return [partial(_store, part, one) for part in np.array_split(np.zeros(count, dtype), threads)]


def streaming_tasks(count: int, dtype: str, threads: int) -> list[Task]:
    """Return tasks that store past the caches; parameters and result as for `store_tasks`."""
    one = np.ones((), dtype)[()]
    return [partial(_stream, part, one) for part in np.array_split(np.zeros(count, dtype), threads)]


def triad_tasks(count: int, dtype: str, threads: int) -> list[Task]:
    """Return tasks of a[i] = b[i] + c · d[i]; parameters as for `store_tasks`."""
    one = np.ones((), dtype)[()]
    parts = (np.array_split(np.ones(count, dtype), threads) for _ in range(3))
    return [partial(_triad, *shares, one) for shares in zip(*parts, strict=True)]


def fma_tasks(dtype: str, threads: int) -> list[Task]:
    """Return tasks of fused multiply-adds on registers; a turn is a thousand of each chain.

    Parameters
    ----------
    dtype : str
        Of the numbers.
    threads : int
        How many tasks there are.

    Returns
    -------
    list of callable
    """
    half = np.full((), 0.5, dtype)[()]
    return [lambda turns: fma_chains(1000 * turns, half)] * threads


def stores(count: int = 2**24, dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure stores into an existing array: no fill can be faster.

    Of an array that may not fit the caches, plain and non-temporal stores are measured, and the
    faster are the limit.

    Parameters
    ----------
    count : int
        Values in the array. What fits a cache is stored at the cache's rate, so ask for the
        size of the workload that the limit is compared with.
    dtype : str
        Of the values.
    threads : int
        Each stores its share.

    Returns
    -------
    Limit
        In bytes per second.
    """
    moved = count * np.dtype(dtype).itemsize
    ways = {"plain stores": store_tasks}
    if moved >= _LARGE_BYTES and compiles():
        ways["non-temporal stores"] = streaming_tasks
    seconds = {
        name: least_seconds_a_turn(tasks(count, dtype, threads)) for name, tasks in ways.items()
    }
    fastest = min(seconds, key=lambda name: seconds[name])
    return Limit(fastest, moved / seconds[fastest], "B/s", threads)


def triad(count: int = 2**23, dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure a[i] = b[i] + c · d[i]; parameters as for `stores`, counting three arrays."""
    moved = 3 * count * np.dtype(dtype).itemsize
    seconds = least_seconds_a_turn(triad_tasks(count, dtype, threads))
    return Limit("triad", moved / seconds, "B/s", threads)


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
        seconds = least_seconds_a_turn([multiply])
    return Limit("matrix products", 2 * size**3 / seconds, "FLOP/s", threads)


def fma(dtype: str = "float32", threads: int = 1) -> Limit:
    """Measure fused multiply-adds on registers: the processor's peak, in operations per second.

    Parameters
    ----------
    dtype : str
        Of the numbers.
    threads : int
        Each has chains of its own.

    Returns
    -------
    Limit
        NaN where nothing is compiled.
    """
    if not compiles():
        return Limit("FMA", math.nan, "FLOP/s", threads)
    operations = 2 * threads * 1000 * FMAS_A_TURN[dtype]
    seconds = least_seconds_a_turn(fma_tasks(dtype, threads))
    return Limit("FMA", operations / seconds, "FLOP/s", threads)


@jit
def _store(out: Any, value: Any, turns: Any) -> None:
    stored = value
    for _ in range(turns):
        stored += value
        for i in range(out.size):
            out[i] = stored


@jit
def _stream(out: Any, value: Any, turns: Any) -> None:
    line = LINE_BYTES // out.itemsize
    values = np.empty(line, out.dtype)
    begin = min(first_of_line(out.ctypes.data, out.itemsize), out.size)
    end = begin + (out.size - begin) // line * line
    stored = value
    for _ in range(turns):
        stored += value
        for i in range(line):
            values[i] = stored
        for i in range(begin):
            out[i] = stored
        for i in range(begin, end, line):
            stream_line(out, i, values, 0)
        for i in range(end, out.size):
            out[i] = stored
        finish_streams()


@jit
def _triad(out: Any, left: Any, right: Any, scale: Any, turns: Any) -> None:
    factor = scale
    for _ in range(turns):
        factor += scale
        for i in range(out.size):
            out[i] = left[i] + factor * right[i]


def least_seconds_a_turn(
    tasks: Sequence[Task], *, sample_seconds: float = 0.002, budget_seconds: float = 0.05
) -> float:
    """Return the least seconds that one turn of all tasks side by side takes.

    Turns are repeated within the tasks, so that starting the threads counts for nothing. Samples
    end before the budget does where ten in a row have not lowered the least by half a percent.

    Parameters
    ----------
    tasks : sequence of callable
        ``task(turns)``, one a thread; what one raises is raised here.
    sample_seconds : float
        Turns are doubled until they take as long.
    budget_seconds : float
        Seconds of samples after which no further one is taken, three at the least.

    Returns
    -------
    float
    """
    with ThreadPoolExecutor(len(tasks)) as pool:

        def elapsed(turns: int) -> float:
            begin = time.perf_counter()
            for running in [pool.submit(task, turns) for task in tasks]:
                running.result()
            return time.perf_counter() - begin

        elapsed(1)
        turns = 1
        while elapsed(turns) < sample_seconds:
            turns *= 2
        samples: list[float] = []
        lowered = 0
        while len(samples) < 3 or (
            sum(samples) < budget_seconds and len(samples) - lowered < _STANDING
        ):
            least = min(samples, default=math.inf)
            samples.append(elapsed(turns))
            if samples[-1] < _LOWER * least:
                lowered = len(samples)
        return min(samples) / turns
