"""One-time costs: imports, compiling each kernel, loading each from the cache."""

import pytest

from initperf._core.storage import cache_directory
from initperf.benchmarks.cold_start import first_call_seconds, import_seconds
from initperf.kernels import KERNELS

CACHED_ROUNDS = 5


@pytest.fixture(scope="module")
def first_calls(request, tmp_path_factory):
    """Call every kernel in a process with a new cache, then in others with that cache."""
    if request.config.getoption("benchmark_disable"):
        return [first_call_seconds(list(KERNELS), cache_directory())] * 2
    cache = tmp_path_factory.mktemp("code")
    return [first_call_seconds(list(KERNELS), cache) for _ in range(1 + CACHED_ROUNDS)]


@pytest.mark.parametrize("module", ["initperf", "initperf.kernels", "initperf.initializers"])
def test_import(recorded, benchmark, module):
    benchmark.group = "import"
    recorded(import_seconds(module) for _ in range(5 if benchmark.enabled else 1))


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_compile(recorded, benchmark, first_calls, kernel):
    benchmark.group = "first call, compiling"
    recorded([first_calls[0][kernel]])


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_cached_compile(recorded, benchmark, first_calls, kernel):
    benchmark.group = "first call, from the cache"
    recorded(seconds[kernel] for seconds in first_calls[1:])
