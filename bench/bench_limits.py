"""Limits of this machine: seconds for 10^9 bytes or operations."""

import pytest

from initperf._core.parallel import default_threads
from initperf.benchmarks import limits


@pytest.mark.parametrize("threads", sorted({1, default_threads()}))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["stores", "triad", "gemm", "fma"])
def test_limit(recorded, benchmark, name, dtype, threads):
    benchmark.group = "limits"
    rounds = 5 if benchmark.enabled else 1
    found = [getattr(limits, name)(dtype=dtype, threads=threads) for _ in range(rounds)]
    best = max(found, key=lambda limit: limit.value)
    benchmark.extra_info.update(limit=best.words, rate=best.value, unit=best.unit)
    recorded(limit.seconds(1e9) for limit in found)
