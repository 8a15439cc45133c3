"""Timings of workloads by every method, measured here or read from a file of pytest-benchmark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from initperf._core.progress import Progress, silent
from initperf.benchmarks._garbage import existing_objects_kept
from initperf.benchmarks._selection import select, with_progress
from initperf.benchmarks._workload_facts import check_workload_facts
from initperf.benchmarks.budget import Budget
from initperf.benchmarks.footprint import Footprint, footprint
from initperf.benchmarks.results_file import read_benchmarks
from initperf.benchmarks.rows import Row, columns_of, table_of
from initperf.benchmarks.timing import Comparison, compare_all
from initperf.benchmarks.workloads import (
    WORKLOADS,
    Entry,
    Size,
    Workload,
    is_installed,
)
from initperf.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

DTYPE = "float32"
COLUMNS = columns_of("workload")
"""Columns of a table of speeds; `initperf.benchmarks.rows.COLUMNS` describes them."""

FULL_SECONDS, QUICK_SECONDS = 6.0, 2.0
"""Seconds that all workloads take together; each has an equal share."""

Step = tuple[Workload, Size]


@dataclass(frozen=True)
class Selection:
    """Which workloads are timed, at which sizes and by whom.

    Attributes
    ----------
    quick : bool
        Smaller sizes and less time, and no NumPy references: they are specifications, much slower
        than what is compared.
    words : str
        Words that all must be in a workload's name and size, as in ``"normal 784"``.
    peers : bool
        Whether methods of libraries other than NumPy take part.
    workloads : mapping of str to Workload
        What there is to select from.
    """

    quick: bool = False
    words: str = ""
    peers: bool = True
    workloads: Mapping[str, Workload] | None = None

    def every(self) -> list[Step]:
        """Return all that can be timed here: some workloads need a library that may be missing."""
        known = WORKLOADS if self.workloads is None else self.workloads
        return [
            (workload, size)
            for workload in known.values()
            for size in (workload.quick_sizes if self.quick else workload.sizes)
            if self.entries((workload, size))
        ]

    def steps(self) -> list[Step]:
        """Return the workloads that are selected, with their sizes.

        Raises
        ------
        UsageError
            When no workload has the words.
        """
        every = self.every()
        among = [_label(step) for step in every]
        return select(every, _label, self.words, kind="workload", among=among)

    def entries(self, step: Step) -> list[Entry]:
        """Return the methods that are timed, of a workload at a size."""
        workload, size = step
        found = workload.entries(size, DTYPE, peers=self.peers)
        return [one for one in found if not (self.quick and one.method.role == "reference")]

    def seconds(self) -> float:
        """Return the share of time of each workload, the same whichever are selected."""
        return (QUICK_SECONDS if self.quick else FULL_SECONDS) / len(self.every())


def measure_workloads(
    selection: Selection,
    progress: Progress = silent,
    *,
    seconds: float | None = None,
    preparations: int = 1,
) -> list[Row]:
    """Measure workloads in float32 by every method that is installed.

    The methods of a workload take turns; see `initperf.benchmarks.timing.compare_all`.

    Parameters
    ----------
    selection : Selection
        What is measured.
    progress : callable, optional
        Told ``(done, total, label)`` before each step.
    seconds : float, optional
        Seconds for each workload and size; without it, those of the selection.
    preparations : int
        How often methods are prepared anew, which tells chance in preparing from a difference;
        it takes longer.

    Returns
    -------
    list of Row

    Raises
    ------
    UsageError
        When no workload has the words of the selection.
    """
    steps = selection.steps()
    share = selection.seconds() if seconds is None else seconds
    found: list[Row] = []
    with existing_objects_kept():
        for step in with_progress(steps, _label, progress):
            workload, _ = step
            budget = Budget(
                seconds=share,
                least_rounds=3,
                pause_seconds=workload.pause_seconds,
                preparations=preparations,
            )
            found += _measured(step, selection.entries(step), budget)
    return found


def _measured(step: Step, entries: Sequence[Entry], budget: Budget) -> Iterator[Row]:
    workload, size = step
    calls, first_calls_s = {}, {}
    for entry in entries:
        started = workload.start(entry, size, DTYPE)
        calls[entry.label] = started.call if budget.preparations == 1 else started.anew
        first_calls_s[entry.label] = started.first_call_s
    baseline = workload.baseline(size, DTYPE).label
    found = compare_all(calls, budget, baseline=baseline)
    for entry in entries:
        made = calls[entry.label]
        yield workload_row(
            step,
            DTYPE,
            entry,
            found[entry.label],
            first_call_s=first_calls_s[entry.label],
            taken=footprint(made if budget.preparations == 1 else made()),
        )


def speed_table(quick: bool = False, progress: Progress = silent) -> "pd.DataFrame":
    """Return the table of all workloads, with `COLUMNS`; parameters as for `measure_workloads`."""
    return table_of(measure_workloads(Selection(quick), progress), COLUMNS)


def missing_peers(workloads: Mapping[str, Workload] = WORKLOADS) -> list[str]:
    """Return the modules of other libraries that would take part in timings, were they here."""
    needed = {method.needs for workload in workloads.values() for method in workload.methods}
    return sorted(module for module in needed if not is_installed(module))


def compile_draws(progress: Progress, workloads: Mapping[str, Workload] = WORKLOADS) -> None:
    """Compile what draws weights, by one draw of each kind, of the size of a quick measurement.

    Parameters
    ----------
    progress : callable
        Told ``(done, total, label)`` before each step.
    workloads : mapping of str to Workload
        Those that do not train are compiled.
    """
    draws = [one for one in workloads.values() if "train_epoch" not in one.kernels]
    for workload in with_progress(draws, lambda one: one.name, progress):
        size = workload.quick_sizes[0]
        for entry in workload.entries(size, DTYPE):
            if entry.method.role == "ours":
                workload.prepare(entry, size, DTYPE)


def import_peers(selection: Selection) -> None:
    """Import the libraries of all methods, by preparing each that needs another than NumPy.

    Parameters
    ----------
    selection : Selection
        What will be measured.
    """
    for workload, size in selection.every():
        for entry in selection.entries((workload, size)):
            if entry.method.needs != "numpy":
                entry.method.prepare(size.shape, DTYPE, entry.threads)


def from_benchmark_json(path: str | Path) -> "pd.DataFrame":
    """Read a table of speeds from what ``pytest --benchmark --benchmark-json=FILE`` wrote.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Controls, and benchmarks that name no workload, are left out.

    Returns
    -------
    pandas.DataFrame
        A row for each benchmark of a workload, with `COLUMNS`.

    Raises
    ------
    UsageError
        When there is no such file.
    DataError
        When it is not of pytest-benchmark, or none of its benchmarks is of a workload, or one of
        them lacks what figures show.
    """
    found = read_benchmarks(path)
    rows = []
    for one in found.benchmarks.values():
        if one.extra.get("workload") and one.extra.get("role") != "control":
            try:
                check_workload_facts(one.name, one.extra)
            except ValueError as error:
                raise DataError(f"{found.path}: {error}") from None
            rows.append(one.row)
    if not rows:
        raise DataError(f"{found.path} has no benchmark of a workload: run pytest --benchmark")
    return table_of(rows, COLUMNS)


def workload_row(
    step: Step,
    dtype: str,
    entry: Entry,
    comparison: Comparison,
    *,
    first_call_s: float | None = None,
    taken: Footprint | None = None,
) -> Row:
    """Return the row of a workload done by one method.

    Parameters
    ----------
    step : tuple of Workload and Size
        What was done.
    dtype : str
        Of the values.
    entry : Entry
        The method, with its threads.
    comparison : Comparison
        The method against the workload's baseline.
    first_call_s : float, optional
        Seconds of the method's first call.
    taken : Footprint, optional
        Memory and instructions of a call.

    Returns
    -------
    Row
    """
    workload, size = step
    limit_s, limit = workload.limit_seconds(entry, size, dtype)
    return Row(
        workload=workload.name,
        method=entry.label,
        role=entry.method.role,
        size=size.label,
        values=size.values,
        dtype=dtype,
        threads=entry.threads,
        limit_s=limit_s,
        limit=limit,
        first_call_s=first_call_s,
        **comparison.record(),
        **comparison.candidate.record(),
        **({} if taken is None else taken.record()),
    )


def _label(step: Step) -> str:
    return f"{step[0].name} {step[1].label}"
