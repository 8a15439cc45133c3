"""Every initializer by its name, in a layer's shape, against the same law by NumPy's generator.

What has no law of independent weights that NumPy could draw, constants and structured matrices,
is timed against filling the array with zeros: how much more than touching the memory it costs.
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


def by_numpy(law, dtype):
    """Return a draw in place as one writes it with NumPy alone."""
    rng, out = np.random.Generator(np.random.SFC64(0)), np.empty(SIZE, dtype)

    def uniform():
        rng.random(out=out, dtype=out.dtype)
        return shifted(law.high - law.low, law.low)

    def normal():
        rng.standard_normal(out=out, dtype=out.dtype)
        return shifted(law.std, law.mean)

    def truncated():
        low, high = ((end - law.location) / law.scale for end in law.support)
        rng.standard_normal(out=out, dtype=out.dtype)
        outside = np.flatnonzero((out < low) | (out > high))
        while outside.size:
            out[outside] = rng.standard_normal(outside.size, dtype=out.dtype)
            outside = outside[(out[outside] < low) | (out[outside] > high)]
        return shifted(law.scale, law.location)

    def shifted(scale, shift):
        np.multiply(out, scale, out=out)
        np.add(out, shift, out=out)
        return out

    draws = {Uniform: uniform, Normal: normal, TruncatedNormal: truncated}
    return draws.get(type(law), partial(out.fill, 0))


def by_us(initializer, dtype, threads):
    out = np.empty(SHAPE, dtype)
    return partial(initializer, SHAPE, rng=0, out=out, threads=threads)


@pytest.mark.parametrize("threads", sorted({1, default_threads()}))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_initializer(ab, benchmark, name, dtype, threads):
    initializer = INITIALIZERS[name]
    law = initializer.distribution_of(SHAPE) if isinstance(initializer, Independent) else None
    made = by_numpy(law, dtype)()
    if made is not None:
        # mean and deviation to six standard errors: that of a deviation is less than σ/√n here
        allowed = 6 * law.std / np.sqrt(SIZE)
        assert abs(made.mean(dtype=np.float64) - law.mean) <= allowed
        assert abs(made.std(dtype=np.float64) - law.std) <= allowed
    benchmark.group = f"{name} {dtype}"
    found = ab(
        partial(by_numpy, law, dtype),
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
