"""The table of speeds: every work by every method, measured here or read from a benchmark file."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf.benchmark_file import read_benchmarks
from initperf.cold_start import compile_seconds
from initperf.errors import DataError
from initperf.timing import Timing, compare_all
from initperf.works import WORKS, Entry, Size, Work

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "kernel",
    "method",
    "role",
    "size",
    "values",
    "dtype",
    "threads",
    "median_s",
    "low_s",
    "high_s",
    "rounds",
    "limit_s",
    "limit",
    "compile_s",
)
"""Columns of a table of speeds; times in seconds, with the 95 % interval of the median."""

DTYPE = "float32"
_FULL_SECONDS, _QUICK_SECONDS = 12.0, 3.0


def speed_table(
    quick: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    *,
    measure_compilation: bool = False,
) -> "pd.DataFrame":
    """Measure every work in float32 by every method that is installed.

    The methods of a work take turns; see `initperf.timing.compare_all`.

    Parameters
    ----------
    quick : bool
        Smaller sizes and fewer rounds.
    progress : callable, optional
        Told ``(done, total, label)`` before each step.
    measure_compilation : bool
        Whether to measure the seconds of compiling where they are not known from before, which
        compiles everything again in another process; otherwise they are NaN there.

    Returns
    -------
    pandas.DataFrame
        A row for each work, size and method, with `COLUMNS`.
    """
    import pandas as pd

    steps = [
        (work, size)
        for work in WORKS.values()
        for size in (work.quick_sizes if quick else work.sizes)
    ]
    tell = progress or (lambda done, total, label: None)
    seconds = (_QUICK_SECONDS if quick else _FULL_SECONDS) / len(steps)
    rows: list[dict[str, Any]] = []
    for done, (work, size) in enumerate(steps):
        tell(done, len(steps), f"{work.name} {size.label}")
        rows += _measured(work, size, seconds, measure_compilation)
    tell(len(steps), len(steps), "")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compile_draws(progress: Callable[[int, int, str], None]) -> None:
    """Compile what draws weights, by one small draw of each kind.

    Parameters
    ----------
    progress : callable
        Told ``(done, total, label)`` before each step.
    """
    draws = [work for work in WORKS.values() if "train_epoch" not in work.kernels]
    for done, work in enumerate(draws):
        progress(done, len(draws), work.name)
        size = work.trial or work.quick_sizes[0]
        for entry in work.entries(size, DTYPE):
            if entry.method.role == "ours":
                work.prepare(entry, size, DTYPE)


def from_benchmark_json(path: str | Path) -> "pd.DataFrame":
    """Read a table of speeds from what ``pytest --benchmark --benchmark-json=FILE`` wrote.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Benchmarks that do not say which work they are of are left out.

    Returns
    -------
    pandas.DataFrame
        With `COLUMNS`.

    Raises
    ------
    UsageError
        When there is no such file.
    DataError
        When it is not of pytest-benchmark, or none of its benchmarks is of a work.
    """
    import pandas as pd

    found = read_benchmarks(path)
    described = set(COLUMNS) - {"median_s", "low_s", "high_s", "rounds", "compile_s"}
    rows = [
        {
            **{column: row.extra.get(column, math.nan) for column in COLUMNS},
            "median_s": row.median_s,
            "low_s": row.low_s,
            "high_s": row.high_s,
            "rounds": row.rounds,
        }
        for row in found.benchmarks.values()
        if described <= row.extra.keys()
    ]
    if not rows:
        raise DataError(f"{found.path} has no benchmark of a work: run pytest --benchmark")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def describe_entry(work: Work, size: Size, dtype: str, entry: Entry) -> dict[str, Any]:
    """Return the columns that say what is measured and what limits it."""
    limit_s, limit = work.limit_seconds(entry, size, dtype)
    return {
        "kernel": work.name,
        "method": entry.label,
        "role": entry.method.role,
        "size": size.label,
        "values": size.values,
        "dtype": dtype,
        "threads": entry.threads,
        "limit_s": limit_s,
        "limit": limit,
    }


def _measured(work: Work, size: Size, seconds: float, compiling: bool) -> Iterator[dict[str, Any]]:
    entries = list(work.entries(size, DTYPE))
    calls = {entry.label: work.prepare(entry, size, DTYPE) for entry in entries}
    baseline = work.baseline(size, DTYPE).label
    found = compare_all(
        calls,
        baseline=baseline,
        budget_seconds=seconds,
        least_rounds=3,
        pause_seconds=work.pause_seconds,
    )
    compile_s = sum(compile_seconds(work.kernels, measure=compiling).values())
    for entry in entries:
        timing: Timing = found[entry.label].candidate
        yield {
            **describe_entry(work, size, DTYPE, entry),
            "median_s": timing.median_s,
            "low_s": timing.low_s,
            "high_s": timing.high_s,
            "rounds": timing.rounds,
            "compile_s": compile_s if entry.method.role == "ours" else math.nan,
        }
