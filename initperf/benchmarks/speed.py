"""Tables of speeds: workloads by every method, measured here or read from a benchmark file."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf._core.progress import Progress, silent
from initperf.benchmarks.cold_start import compile_seconds
from initperf.benchmarks.results_file import read_benchmarks
from initperf.benchmarks.timing import Comparison, compare_all
from initperf.benchmarks.workloads import (
    PREPARATIONS,
    WORKLOADS,
    Entry,
    Size,
    Workload,
    is_installed,
)
from initperf.errors import DataError, UsageError

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
    "percent_of_limit",
    "ratio",
    "ratio_low",
    "ratio_high",
    "null_ratio",
    "compile_s",
)
"""Columns of a table of speeds; times in seconds, with the 95 % interval of the median.

``ratio`` is the speed of a method relative to the baseline, ``null_ratio`` that of
the baseline relative to itself.
"""
DESCRIBED = frozenset(
    ("kernel", "method", "role", "size", "values", "dtype", "threads", "limit_s", "limit")
)
"""Those of them that say what was measured, and what limits it."""

DTYPE = "float32"
_FULL_SECONDS, _QUICK_SECONDS = 6.0, 3.0


@dataclass(frozen=True)
class Speed:
    """A workload of one size, done by one method, timed.

    Attributes
    ----------
    description : dict
        The columns of `describe_entry`.
    comparison : Comparison
        The method against the workload's baseline.
    compile_s : float
        Seconds of compiling; NaN where nothing is compiled or it is not known.
    """

    description: dict[str, Any]
    comparison: Comparison
    compile_s: float

    @property
    def name(self) -> str:
        """What tells it from all others in a file."""
        words = (self.description[column] for column in ("dtype", "size", "method"))
        return f"bench[{self.description['kernel']}, {', '.join(words)}]"

    @property
    def samples_s(self) -> Any:
        """Seconds a call took in each round."""
        return self.comparison.candidate.samples_s

    @property
    def row(self) -> dict[str, Any]:
        """The row of a table of speeds, with `COLUMNS` and the interval of the null ratio."""
        timing = self.comparison.candidate
        return {
            **self.description,
            "median_s": timing.median_s,
            "low_s": timing.low_s,
            "high_s": timing.high_s,
            "rounds": timing.rounds,
            "percent_of_limit": 100.0 * self.description["limit_s"] / timing.median_s,
            **self.comparison.record(),
            "compile_s": self.compile_s,
        }


def speed_table(
    quick: bool = False,
    progress: Progress = silent,
    *,
    measure_compilation: bool = False,
) -> "pd.DataFrame":
    """Measure every workload in float32 by every method that is installed.

    Parameters
    ----------
    quick, progress, measure_compilation
        As for `measure_workloads`.

    Returns
    -------
    pandas.DataFrame
        A row for each workload, size and method, with `COLUMNS`.
    """
    speeds = measure_workloads(quick, progress, measure_compilation=measure_compilation)
    return table_of(speeds)


def measure_workloads(
    quick: bool = False,
    progress: Progress = silent,
    *,
    measure_compilation: bool = False,
    chosen: str = "",
    peers: bool = True,
    again: bool = False,
) -> list[Speed]:
    """Measure workloads in float32 by every method that is installed.

    The methods of a workload take turns; see `initperf.benchmarks.timing.compare_all`.

    Parameters
    ----------
    quick : bool
        Smaller sizes and fewer rounds.
    progress : callable, optional
        Told ``(done, total, label)`` before each step.
    measure_compilation : bool
        Whether to measure the seconds of compiling where they are not known from before, which
        compiles everything again in another process; otherwise they are NaN there.
    chosen : str
        Words that all must be in a workload's name and size, as in ``"normal 784"``.
    peers : bool
        Whether methods of libraries other than NumPy take part.
    again : bool
        Whether methods are prepared anew several times, which tells chance in preparing from a
        difference; it takes longer.

    Returns
    -------
    list of Speed

    Raises
    ------
    UsageError
        When no workload has these words.
    """
    every, steps = _steps(quick, peers), choose_workloads(quick, chosen, peers)
    seconds = (_QUICK_SECONDS if quick else _FULL_SECONDS) / len(every)
    found: list[Speed] = []
    for done, (workload, size) in enumerate(steps):
        progress(done, len(steps), _label(workload, size))
        found += _measured(workload, size, seconds, measure_compilation, peers, again)
    progress(len(steps), len(steps), "")
    return found


def choose_workloads(quick: bool, words: str, peers: bool = True) -> list[tuple[Workload, Size]]:
    """Return the workloads, with their sizes, that have all words in name and size.

    Without `peers`, only those that need no library but NumPy.

    Raises
    ------
    UsageError
        When there are none.
    """
    every = _steps(quick, peers)
    chosen = [
        (workload, size)
        for workload, size in every
        if all(word in _label(workload, size).lower() for word in words.lower().split())
    ]
    if not chosen:
        labels = "; ".join(_label(*step) for step in every)
        raise UsageError(f"no workload has {words!r} in its name and size; there are {labels}")
    return chosen


def missing_peers() -> list[str]:
    """Return the modules of other libraries that workloads would be measured by, were they here."""
    needed = {method.needs for workload in WORKLOADS.values() for method in workload.methods}
    return sorted(module for module in needed if not is_installed(module))


def table_of(speeds: Sequence[Speed]) -> "pd.DataFrame":
    """Return the table of speeds, with `COLUMNS`."""
    import pandas as pd

    return pd.DataFrame([speed.row for speed in speeds], columns=list(COLUMNS))


def _label(workload: Workload, size: Size) -> str:
    return f"{workload.name} {size.label}"


def _steps(quick: bool, peers: bool) -> list[tuple[Workload, Size]]:
    """Return what can be done here: some workloads are of a library that may be missing."""
    return [
        (workload, size)
        for workload in WORKLOADS.values()
        for size in (workload.quick_sizes if quick else workload.sizes)
        if any(workload.entries(size, DTYPE, peers=peers))
    ]


def compile_draws(progress: Progress) -> None:
    """Compile what draws weights, by one small draw of each kind.

    Parameters
    ----------
    progress : callable
        Told ``(done, total, label)`` before each step.
    """
    draws = [workload for workload in WORKLOADS.values() if "train_epoch" not in workload.kernels]
    for done, workload in enumerate(draws):
        progress(done, len(draws), workload.name)
        size = workload.trial or workload.quick_sizes[0]
        for entry in workload.entries(size, DTYPE):
            if entry.method.role == "ours":
                workload.prepare(entry, size, DTYPE)


def from_benchmark_json(path: str | Path) -> "pd.DataFrame":
    """Read a table of speeds from what ``pytest --benchmark --benchmark-json=FILE`` wrote.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Benchmarks that do not say which workload they are of are left out.

    Returns
    -------
    pandas.DataFrame
        With `COLUMNS`.

    Raises
    ------
    UsageError
        When there is no such file.
    DataError
        When it is not of pytest-benchmark, or none of its benchmarks is of a workload.
    """
    import pandas as pd

    found = read_benchmarks(path)
    rows = [
        {
            **{column: row.extra.get(column, math.nan) for column in COLUMNS},
            "median_s": row.median_s,
            "low_s": row.low_s,
            "high_s": row.high_s,
            "rounds": row.rounds,
        }
        for row in found.benchmarks.values()
        if row.extra.keys() >= DESCRIBED
    ]
    if not rows:
        raise DataError(f"{found.path} has no benchmark of a workload: run pytest --benchmark")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def describe_entry(workload: Workload, size: Size, dtype: str, entry: Entry) -> dict[str, Any]:
    """Return the columns that say what is measured and what limits it."""
    limit_s, limit = workload.limit_seconds(entry, size, dtype)
    return {
        "kernel": workload.name,
        "method": entry.label,
        "role": entry.method.role,
        "size": size.label,
        "values": size.values,
        "dtype": dtype,
        "threads": entry.threads,
        "limit_s": limit_s,
        "limit": limit,
    }


def _measured(
    workload: Workload, size: Size, seconds: float, compiling: bool, peers: bool, again: bool
) -> Iterator[Speed]:
    entries = list(workload.entries(size, DTYPE, peers=peers))
    prepare = workload.preparing if again else workload.prepare
    calls = {entry.label: prepare(entry, size, DTYPE) for entry in entries}
    baseline = workload.baseline(size, DTYPE).label
    found = compare_all(
        calls,
        baseline=baseline,
        budget_seconds=seconds,
        least_rounds=3,
        pause_seconds=workload.pause_seconds,
        preparations=PREPARATIONS if again else 1,
    )
    compile_s = sum(compile_seconds(workload.kernels, measure=compiling).values())
    for entry in entries:
        ours = entry.method.role == "ours"
        described = describe_entry(workload, size, DTYPE, entry)
        yield Speed(described, found[entry.label], compile_s if ours else math.nan)
