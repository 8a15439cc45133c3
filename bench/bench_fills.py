"""Fills from 2^10 to 2^27 values: growth of their time and of their allocations."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

from initperf import INITIALIZERS
from initperf._core.parallel import default_threads
from initperf.benchmarks.limits import stores

EXPONENTS = (10, 13, 16, 20, 24, 27)
NAMES = ("uniform", "normal", "truncated_normal")


@pytest.mark.parametrize("threads", sorted({1, default_threads()}))
@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("name", NAMES)
def test_fill_scaling(timed, benchmark, name, exponent, threads):
    benchmark.group = f"fill_{name} float32, {threads} threads"
    out = np.empty(2**exponent, np.float32)
    call = partial(INITIALIZERS[name], out.shape, rng=0, out=out, threads=threads)
    call()
    tracemalloc.start()
    call()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2**16, "a fill of an existing array allocates next to nothing"
    timing = timed(call)
    if not timing:
        return
    limit = stores(out.size, "float32", threads)
    limit_s = limit.seconds(out.nbytes)
    benchmark.extra_info.update(
        values=out.size,
        threads=threads,
        peak_bytes=peak_bytes,
        limit_s=limit_s,
        limit=limit.words,
        percent_of_limit=100 * limit_s / timing.median_s,
    )
