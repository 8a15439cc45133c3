"""Control benchmarks on several threads: loops that no change to initperf makes faster or slower.

Rivals and baselines tell how the time of unchanged code differs between two sessions, but most
take one thread, and on several threads sessions can differ by much more: a disturbance of one
processor holds up all threads. These loops over memory and registers, which the limits of the
hardware are measured with, are the controls there. They run on a plain pool of threads and not
on that of initperf, whose changes they must not follow.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from initperf._core.parallel import default_threads
from initperf._core.progress import Progress, silent
from initperf.benchmarks._selection import with_progress
from initperf.benchmarks.budget import Budget
from initperf.benchmarks.limits import Task, fma_tasks, store_tasks, triad_tasks
from initperf.benchmarks.rows import Row
from initperf.benchmarks.timing import Comparison, compare
from initperf.benchmarks.workloads import PREPARATIONS

SECONDS = 0.2
"""Seconds of each control in `measure_controls`."""


@dataclass(frozen=True)
class Control:
    """A loop that can run on any number of threads.

    Attributes
    ----------
    name, size, dtype : str
        As tables show them.
    tasks : callable
        ``tasks(threads)`` returns a task for each thread.
    turns : int
        Turns of a call.
    """

    name: str
    size: str
    dtype: str
    tasks: Callable[[int], list[Task]]
    turns: int = 1

    def prepare(self, threads: int) -> Callable[[], Any]:
        """Allocate, start the threads, and return the call to be timed."""
        tasks, pool = self.tasks(threads), ThreadPoolExecutor(threads)

        def call() -> None:
            for running in [pool.submit(task, self.turns) for task in tasks]:
                running.result()

        return call

    def row(self, threads: int, comparison: Comparison) -> Row:
        """Return the row of a control on several threads.

        Parameters
        ----------
        threads : int
            How many.
        comparison : Comparison
            Of the control on one thread with itself on several.

        Returns
        -------
        Row
        """
        return Row(
            workload=self.name,
            method=f"control, {threads} threads",
            role="control",
            size=self.size,
            dtype=self.dtype,
            threads=threads,
            **comparison.record(),
            **comparison.candidate.record(),
        )

    def __str__(self) -> str:
        return f"{self.name}-{self.dtype}-{self.size}"


def _on_arrays(
    name: str, tasks: Callable[[int, str, int], list[Task]], exponent: int, dtype: str
) -> Control:
    return Control(name, f"2^{exponent}", dtype, partial(tasks, 2**exponent, dtype))


_ARRAYS = [
    _on_arrays(name, tasks, exponent, dtype)
    for name, tasks in (("plain_stores", store_tasks), ("triad", triad_tasks))
    for exponent in (18, 20)
    for dtype in ("float32", "float64")
]
_REGISTERS = [
    Control("fma", "registers", dtype, partial(fma_tasks, dtype), turns=20)
    for dtype in ("float32", "float64")
]
CONTROLS = (*_ARRAYS, *_REGISTERS)
"""Loops over arrays within and beyond a cache, and over registers."""


def measure_controls(progress: Progress = silent, *, seconds: float | None = None) -> list[Row]:
    """Time every control on all threads; none where there is one only.

    Parameters
    ----------
    progress : callable, optional
        Told ``(done, total, label)`` before each step.
    seconds : float, optional
        Seconds of each; without it, `SECONDS`.

    Returns
    -------
    list of Row
    """
    threads = default_threads()
    share = SECONDS if seconds is None else seconds
    budget = Budget(seconds=share, least_rounds=3, preparations=PREPARATIONS)
    return [
        control.row(
            threads,
            compare(partial(control.prepare, 1), partial(control.prepare, threads), budget),
        )
        for control in with_progress(CONTROLS if threads > 1 else (), str, progress)
    ]
