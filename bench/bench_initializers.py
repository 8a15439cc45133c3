"""Every initializer in a layer's shape, against the same distribution by NumPy's generator.

Constants and structured matrices, which NumPy cannot draw as independent weights, are timed
against filling the array with zeros: their cost beyond touching the memory.
"""

from functools import partial

import numpy as np
import pytest

from initperf import INITIALIZERS
from initperf._core.parallel import default_threads
from initperf.benchmarks.limits import stores
from initperf.benchmarks.workloads import PREPARATIONS
from initperf.initializers import Independent, Normal, TruncatedNormal, Uniform

SHAPE = (784, 256)
SIZE = SHAPE[0] * SHAPE[1]


def by_numpy(distribution, dtype):
    """Return a draw in place as one writes it with NumPy alone."""
    rng, out = np.random.Generator(np.random.SFC64(0)), np.empty(SIZE, dtype)

    def uniform():
        rng.random(out=out, dtype=out.dtype)
        return shifted(distribution.high - distribution.low, distribution.low)

    def normal():
        rng.standard_normal(out=out, dtype=out.dtype)
        return shifted(distribution.std, distribution.mean)

    def truncated():
        low, high = (
            (end - distribution.location) / distribution.scale for end in distribution.support
        )
        rng.standard_normal(out=out, dtype=out.dtype)
        outside = np.flatnonzero((out < low) | (out > high))
        while outside.size:
            out[outside] = rng.standard_normal(outside.size, dtype=out.dtype)
            outside = outside[(out[outside] < low) | (out[outside] > high)]
        return shifted(distribution.scale, distribution.location)

    def shifted(scale, shift):
        np.multiply(out, scale, out=out)
        np.add(out, shift, out=out)
        return out

    draws = {Uniform: uniform, Normal: normal, TruncatedNormal: truncated}
    return draws.get(type(distribution), partial(out.fill, 0))


def by_us(initializer, dtype, threads):
    out = np.empty(SHAPE, dtype)
    return partial(initializer, SHAPE, rng=0, out=out, threads=threads)


@pytest.mark.parametrize("threads", sorted({1, default_threads()}))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_initializer(ab, benchmark, name, dtype, threads):
    initializer = INITIALIZERS[name]
    distribution = (
        initializer.distribution_of(SHAPE) if isinstance(initializer, Independent) else None
    )
    made = by_numpy(distribution, dtype)()
    if made is not None:
        # mean and deviation to six standard errors: that of a deviation is less than σ/√n here
        allowed = 6 * distribution.std / np.sqrt(SIZE)
        assert abs(made.mean(dtype=np.float64) - distribution.mean) <= allowed
        assert abs(made.std(dtype=np.float64) - distribution.std) <= allowed
    benchmark.group = f"{name} {dtype}"
    found = ab(
        partial(by_numpy, distribution, dtype),
        partial(by_us, initializer, dtype, threads),
        preparations=PREPARATIONS,
    )
    if found:
        limit = stores(SIZE, dtype, threads)
        seconds = limit.seconds(SIZE * np.dtype(dtype).itemsize)
        benchmark.extra_info.update(
            threads=threads,
            dtype=dtype,
            limit_s=seconds,
            limit=limit.words,
            percent_of_limit=100 * seconds / found.candidate.median_s,
        )
