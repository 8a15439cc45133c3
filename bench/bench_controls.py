"""Control benchmarks on several threads, from which the noise between two sessions is learned."""

from functools import partial

import pytest

from initperf._core.parallel import default_threads
from initperf.benchmarks.controls import CONTROLS
from initperf.benchmarks.workloads import PREPARATIONS


@pytest.mark.parametrize("control", CONTROLS if default_threads() > 1 else (), ids=str)
def test_control(ab, benchmark, control):
    benchmark.group = "controls"
    threads = default_threads()
    comparison = ab(
        partial(control.prepare, 1), partial(control.prepare, threads), preparations=PREPARATIONS
    )
    if comparison:
        benchmark.extra_info.update(control.row(threads, comparison).record())
