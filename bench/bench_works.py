"""Every work by every method, against what a user would otherwise call, with its limit."""

from collections.abc import Iterator
from typing import Any

import pytest

from initperf.benchmarks.speed import describe_entry
from initperf.benchmarks.workloads import PREPARATIONS, WORKS


def _rows() -> Iterator[tuple[str, tuple[Any, ...]]]:
    for work in WORKS.values():
        for dtype in work.dtypes:
            for size in work.sizes:
                for entry in work.entries(size, dtype):
                    yield f"{work.name}-{dtype}-{size}-{entry}", (work, size, dtype, entry)


ROWS = dict(_rows())


@pytest.mark.parametrize("row", list(ROWS))
def test_work(ab, benchmark, row):
    work, size, dtype, entry = ROWS[row]
    benchmark.group = f"{work.name} {dtype} {size.label}"
    baseline, candidate = (
        work.preparing(one, size, dtype) for one in (work.baseline(size, dtype), entry)
    )
    comparison = ab(
        baseline, candidate, preparations=PREPARATIONS, pause_seconds=work.pause_seconds
    )
    if comparison:
        described = describe_entry(work, size, dtype, entry)
        share = 100 * described["limit_s"] / comparison.candidate.median_s
        benchmark.extra_info.update(described, percent_of_limit=share)
