"""Drawing of many figures side by side, by processes of joblib."""

import gc
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import starmap

import joblib

from initperf._core.parallel import (
    default_threads,
    dropped_work_ignored,
    interrupts_ignored,
    start_resource_trackers,
)
from initperf_figures import _svg
from initperf_figures._figure import ReportFigure, Tables
from initperf_figures._svg import Files

LEAST = 5
"""Fewer figures than this are drawn before other processes have started."""


@contextmanager
def drawing(figures: Sequence[ReportFigure], tables: Tables) -> Iterator[Iterator[Files]]:
    """Draw figures in other processes while the block runs; they end when the block raises.

    ``INITPERF_NUM_THREADS`` limits the number of processes; with 1, or fewer figures than LEAST,
    this process draws alone. The files have the same bytes either way.

    Parameters
    ----------
    figures : sequence of ReportFigure
        What to draw, in this order; the slowest first keeps all processes busy to the end.
    tables : mapping of str to pandas.DataFrame
        All tables that the figures need.

    Yields
    ------
    iterator of Files
        The files of each figure, in the order of `figures`. A figure that
        another process could not draw, for whatever reason, is drawn in this one, where an error
        is raised.
    """
    arguments = [(figure, {name: tables[name] for name in figure.needs}) for figure in figures]
    processes = min(default_threads(), len(figures))
    if processes < 2 or len(figures) < LEAST:
        yield starmap(files, arguments)
        return
    pool = joblib.Parallel(
        processes,
        backend="loky",
        return_as="generator",
        pre_dispatch="all",
        max_nbytes=None,  # no shared files, which would be left when this process is killed
    )
    started: Generator[Files] = (each for each in list[Files]())
    with suppress(Exception):
        start_resource_trackers()
    with dropped_work_ignored():
        try:
            with interrupts_ignored(), suppress(Exception):  # where no process can be started
                started = pool(joblib.delayed(files)(*each) for each in arguments)
            yield _completed(started, arguments)
        finally:
            with warnings.catch_warnings(action="ignore"):  # joblib warns of results left unused
                started.close()


def _completed(
    started: Iterator[Files], arguments: Sequence[tuple[ReportFigure, Tables]]
) -> Iterator[Files]:
    """Give the results of other processes and, when one of them fails, draw the rest here."""
    done = 0
    with suppress(Exception):
        for result in started:
            yield result
            done += 1
    yield from starmap(files, arguments[done:])


def files(figure: ReportFigure, tables: Tables) -> Files:
    """Return a figure's files.

    Parameters
    ----------
    figure : ReportFigure
    tables : mapping of str to pandas.DataFrame
        The tables that it needs.

    Raises
    ------
    ValueError
        When the runs that it would compare are not comparable.
    """
    enabled = gc.isenabled()
    gc.disable()  # collections of garbage would take a tenth of the time
    try:
        return _svg.files(figure.render(tables))
    finally:
        if enabled:
            gc.enable()
