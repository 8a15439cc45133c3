"""Orthogonal matrices by every method: draws, factors of given matrices, and growth with size."""

import importlib.util
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.linalg

from initperf._core.parallel import default_threads
from initperf.benchmarks.limits import gemm
from initperf.jit.blas import blas_threads
from initperf.kernels import KERNELS

THREADS = sorted({1, default_threads()})
DRAWN = ((64, 64), (784, 256), (1024, 1024), (2048, 2048), (4096, 1024))
FACTORED = ((512, 512), (784, 256), (1024, 1024), (2048, 2048))
GROWING = (512, 1024, 2048, 4096, 8192)
# what is called once for correctness, untimed
SMALL = 128

Shape = tuple[int, int]
Prepare = Callable[[Shape], Callable[[], Any]]


def gaussian(shape: Shape) -> np.ndarray:
    return np.random.Generator(np.random.SFC64(0)).standard_normal(shape, np.float32)


def haar(threads: int, shape: Shape) -> Callable[[], Any]:
    out = np.empty(shape, np.float32)
    return partial(KERNELS["haar"]["numba"], out, np.uint64(1), np.uint64(0), 1.0, threads)


def torch_orthogonal(shape: Shape) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(default_threads())
    return partial(torch.nn.init.orthogonal_, torch.empty(shape))


def signed(factor: Callable[[np.ndarray], Any], shape: Shape) -> Callable[[], Any]:
    """Factor a Gaussian matrix, drawn at every call, and put the signs right."""
    rng = np.random.Generator(np.random.SFC64(0))

    def call() -> np.ndarray:
        q, r = factor(rng.standard_normal(shape, np.float32))
        return q * np.where(np.diagonal(r) < 0, -1, 1).astype(np.float32)

    return call


def orthogonalize(threads: int, shape: Shape) -> Callable[[], Any]:
    a, out = gaussian(shape), np.empty(shape, np.float32)
    return partial(KERNELS["orthogonalize"]["numba"], a, out, threads)


def given(factor: Callable[[np.ndarray], Any], shape: Shape) -> Callable[[], Any]:
    return partial(factor, gaussian(shape))


def named(ours: Callable[[int, Shape], Callable[[], Any]]) -> dict[str, Prepare]:
    return {f"initperf_{threads}_threads": partial(ours, threads) for threads in THREADS}


scipy_qr = partial(scipy.linalg.qr, mode="economic", overwrite_a=False, check_finite=False)
DRAW: dict[str, Prepare] = {
    "numpy_qr_with_sign": partial(signed, np.linalg.qr),
    "scipy_qr_with_sign": partial(signed, scipy_qr),
    **({"torch_orthogonal": torch_orthogonal} if importlib.util.find_spec("torch") else {}),
    **named(haar),
}
FACTOR: dict[str, Prepare] = {
    "numpy_qr": partial(given, np.linalg.qr),
    "scipy_qr": partial(given, scipy_qr),
    **named(orthogonalize),
}


def operations(shape: Shape) -> float:
    """Return what it takes to multiply min(m, n) reflectors out, least of all methods."""
    m, n = max(shape), min(shape)
    return 2.0 * m * n**2 - 2.0 * n**3 / 3.0


def compare(
    ab: Any, benchmark: Any, methods: dict[str, Prepare], method: str, shape: Shape, work: float
) -> None:
    """Time a method in turns with the first of them; say what matrix products would allow."""
    if not benchmark.enabled:
        shape = (min(shape[0], SMALL), min(shape[1], SMALL))
    baseline = next(iter(methods))
    with blas_threads(default_threads()):
        comparison = ab(methods[baseline](shape), methods[method](shape), pause_seconds=0.1)
    if comparison:
        limit = gemm(threads=default_threads())
        seconds = limit.seconds(work * operations(shape))
        share = 100 * seconds / comparison.candidate.median_s
        benchmark.extra_info.update(limit_s=seconds, limit=limit.words, percent_of_limit=share)


@pytest.mark.parametrize("method", DRAW)
@pytest.mark.parametrize("shape", DRAWN, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_haar(ab, benchmark, shape, method):
    benchmark.group = f"haar float32 {shape[0]} x {shape[1]}"
    compare(ab, benchmark, DRAW, method, shape, 1.0)


@pytest.mark.parametrize("method", FACTOR)
@pytest.mark.parametrize("shape", FACTORED, ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_orthogonalize(ab, benchmark, shape, method):
    benchmark.group = f"orthogonalize float32 {shape[0]} x {shape[1]}"
    compare(ab, benchmark, FACTOR, method, shape, 2.0)


@pytest.fixture(scope="module")
def measured():
    """Remember the times of the sizes before."""
    return {}


@pytest.mark.parametrize("order", GROWING)
def test_haar_growth(timed, benchmark, measured, order):
    benchmark.group = "haar float32, growth"
    size = order if benchmark.enabled else min(order, SMALL)
    call = haar(default_threads(), (size, size))
    call()
    tracemalloc.start()
    call()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    timing = timed(call, seconds=2.0, least_rounds=2)
    if not timing:
        return
    measured[order] = timing.median_s
    limit = gemm(threads=default_threads())
    benchmark.extra_info.update(
        order=size,
        cubic_growth_s=measured.get(order // 2, np.nan) * 8,
        memory_beside_output=peak_bytes / (4 * size * size),
        limit_s=limit.seconds(operations((size, size))),
        limit=limit.words,
    )
