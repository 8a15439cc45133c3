"""Every workload by every method, against what a user would otherwise call, with its limit."""

from collections.abc import Iterator
from typing import Any

import pytest

from initperf.benchmarks.speed import workload_row
from initperf.benchmarks.workloads import PREPARATIONS, WORKLOADS


def _rows() -> Iterator[tuple[str, tuple[Any, ...]]]:
    for workload in WORKLOADS.values():
        for dtype in workload.dtypes:
            for size in workload.sizes:
                for entry in workload.entries(size, dtype):
                    yield f"{workload.name}-{dtype}-{size}-{entry}", (workload, size, dtype, entry)


ROWS = dict(_rows())


# PyTorch's compiler imports parts of PyTorch that PyTorch itself calls deprecated
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize("row", list(ROWS))
def test_workload(ab, benchmark, row):
    workload, size, dtype, entry = ROWS[row]
    benchmark.group = f"{workload.name} {dtype} {size.label}"
    baseline, candidate = (
        workload.start(one, size, dtype) for one in (workload.baseline(size, dtype), entry)
    )
    comparison = ab(
        baseline.anew,
        candidate.anew,
        preparations=PREPARATIONS,
        pause_seconds=workload.pause_seconds,
    )
    if comparison:
        row = workload_row(
            (workload, size), dtype, entry, comparison, first_call_s=candidate.first_call_s
        )
        benchmark.extra_info.update(row.record())
