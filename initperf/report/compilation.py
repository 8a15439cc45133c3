"""Compilation of what a report calls, which begins before its own modules are imported."""

import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from initperf.report.plan import Plan, Settings
from initperf.training._precompile import compiling
from initperf.training.experiment import Experiment

SPEEDS = ("speed", "kernels", "limits")
"""Names of the tables of timings."""

TRAINED = ("runs", "sensitivity", "steps", "epochs", "layers", "histograms", "rates")
"""Names of the tables of runs."""

SEEDED = (*TRAINED, "signal", "propagation")
"""Names of the tables of networks of all seeds, trained or not."""

_TIMED = tuple(
    Experiment(activation=activation, record=record)
    for activation in ("relu", "tanh")
    for record in ("step", "none")
)
"""Trainings that need the compiled functions of the workloads that train."""


def is_timed(settings: Settings, needed: Collection[str] | None) -> bool:
    """Return whether a report measures speeds, rather than read or leave them out.

    Parameters
    ----------
    settings : Settings
    needed : collection of str, optional
        Names of the tables that are wanted, by default all.
    """
    return not settings.benchmarks and (needed is None or not set(SPEEDS).isdisjoint(needed))


@contextmanager
def compiling_report(
    settings: Settings,
    plan: Plan,
    needed: Collection[str] | None = None,
    waiting: Sequence["subprocess.Popen[bytes]"] = (),
) -> Iterator[Callable[[], object]]:
    """Compile what a report trains and times in other processes, for the length of the block.

    Parameters
    ----------
    settings : Settings
    plan : Plan
    needed : collection of str, optional
        As of `is_timed`.
    waiting : sequence of subprocess.Popen
        See `initperf.training._precompile.compiling`.

    Yields
    ------
    callable
        Takes a share, and waits until all is compiled.
    """
    timed = _TIMED if is_timed(settings, needed) else ()
    with compiling([*plan.experiments, *timed], joining=True, waiting=waiting) as finish:
        yield finish
