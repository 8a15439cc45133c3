"""The table of speeds: every work by every method, measured here or read from a benchmark file."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf._core.progress import Progress, silent
from initperf.benchmarks.cold_start import compile_seconds
from initperf.benchmarks.results_file import read_benchmarks
from initperf.benchmarks.timing import Comparison, compare_all
from initperf.benchmarks.workloads import PREPARATIONS, WORKS, Entry, Size, Work, is_installed
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

``ratio`` is how many times as fast as the work's baseline a method is, and ``null_ratio`` that of
the baseline to itself.
"""
DESCRIBED = frozenset(
    ("kernel", "method", "role", "size", "values", "dtype", "threads", "limit_s", "limit")
)
"""Those of them that say what was measured, and what limits it."""

DTYPE = "float32"
_FULL_SECONDS, _QUICK_SECONDS = 6.0, 3.0


@dataclass(frozen=True)
class Speed:
    """A work of one size, done by one method, timed.

    Attributes
    ----------
    description : dict
        The columns of `describe_entry`.
    comparison : Comparison
        The method against the work's baseline.
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
    """Measure every work in float32 by every method that is installed.

    Parameters
    ----------
    quick, progress, measure_compilation
        As for `measure_works`.

    Returns
    -------
    pandas.DataFrame
        A row for each work, size and method, with `COLUMNS`.
    """
    speeds = measure_works(quick, progress, measure_compilation=measure_compilation)
    return table_of(speeds)


def measure_works(
    quick: bool = False,
    progress: Progress = silent,
    *,
    measure_compilation: bool = False,
    chosen: str = "",
    peers: bool = True,
    again: bool = False,
) -> list[Speed]:
    """Measure works in float32 by every method that is installed.

    The methods of a work take turns; see `initperf.benchmarks.timing.compare_all`.

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
        Words that all must be in a work's name and size, as in ``"normal 784"``.
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
        When no work has these words.
    """
    every, steps = _steps(quick, peers), choose_works(quick, chosen, peers)
    seconds = (_QUICK_SECONDS if quick else _FULL_SECONDS) / len(every)
    found: list[Speed] = []
    for done, (work, size) in enumerate(steps):
        progress(done, len(steps), _label(work, size))
        found += _measured(work, size, seconds, measure_compilation, peers, again)
    progress(len(steps), len(steps), "")
    return found


def choose_works(quick: bool, words: str, peers: bool = True) -> list[tuple[Work, Size]]:
    """Return the works, with their sizes, that have all words in name and size.

    Without `peers`, only those that need no library but NumPy.

    Raises
    ------
    UsageError
        When there are none.
    """
    every = _steps(quick, peers)
    chosen = [
        (work, size)
        for work, size in every
        if all(word in _label(work, size).lower() for word in words.lower().split())
    ]
    if not chosen:
        labels = "; ".join(_label(*step) for step in every)
        raise UsageError(f"no work has {words!r} in its name and size; there are {labels}")
    return chosen


def missing_peers() -> list[str]:
    """Return the modules of other libraries that works would be measured by, were they here."""
    needed = {method.needs for work in WORKS.values() for method in work.methods}
    return sorted(module for module in needed if not is_installed(module))


def table_of(speeds: Sequence[Speed]) -> "pd.DataFrame":
    """Return the table of speeds, with `COLUMNS`."""
    import pandas as pd

    return pd.DataFrame([speed.row for speed in speeds], columns=list(COLUMNS))


def _label(work: Work, size: Size) -> str:
    return f"{work.name} {size.label}"


def _steps(quick: bool, peers: bool) -> list[tuple[Work, Size]]:
    """Return what can be done here: some works are of a library that may be missing."""
    return [
        (work, size)
        for work in WORKS.values()
        for size in (work.quick_sizes if quick else work.sizes)
        if any(work.entries(size, DTYPE, peers=peers))
    ]


def compile_draws(progress: Progress) -> None:
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


def _measured(
    work: Work, size: Size, seconds: float, compiling: bool, peers: bool, again: bool
) -> Iterator[Speed]:
    entries = list(work.entries(size, DTYPE, peers=peers))
    prepare = work.preparing if again else work.prepare
    calls = {entry.label: prepare(entry, size, DTYPE) for entry in entries}
    baseline = work.baseline(size, DTYPE).label
    found = compare_all(
        calls,
        baseline=baseline,
        budget_seconds=seconds,
        least_rounds=3,
        pause_seconds=work.pause_seconds,
        preparations=PREPARATIONS if again else 1,
    )
    compile_s = sum(compile_seconds(work.kernels, measure=compiling).values())
    for entry in entries:
        ours = entry.method.role == "ours"
        described = describe_entry(work, size, DTYPE, entry)
        yield Speed(described, found[entry.label], compile_s if ours else math.nan)
