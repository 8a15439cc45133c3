"""Drawing of many figures by this process and others at once."""

import gc
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from initperf._core.parallel import default_threads
from initperf_figures import _svg
from initperf_figures._figure import ReportFigure, Tables
from initperf_figures._process import Process
from initperf_figures._svg import Files

LEAST = 5
"""Fewer figures than this are drawn before other processes have started."""


@contextmanager
def processes(figures: int) -> Iterator[list[Process]]:
    """Start processes that help to draw so many figures, and end them after the block.

    There is one for each processor but this process's own, at most ``INITPERF_NUM_THREADS``
    processes with this one, and none for fewer figures than LEAST.

    Parameters
    ----------
    figures : int

    Yields
    ------
    list of Process
        Those that could be started.
    """
    started: list[Process] = []
    try:
        wanted = min(default_threads(), figures) - 1 if figures >= LEAST else 0
        with suppress(OSError):
            started.extend(Process() for _ in range(wanted))
        yield started
    finally:
        for process in started:
            process.kill()


def drawn(
    figures: Sequence[ReportFigure], tables: Tables, helpers: Sequence[Process] = ()
) -> Iterator[tuple[ReportFigure, Files]]:
    """Draw figures in this process and in others. The files have the same bytes either way.

    Parameters
    ----------
    figures : sequence of ReportFigure
        What to draw; each process takes the next when it has drawn its last, so the slowest first
        keeps all busy to the end.
    tables : mapping of str to pandas.DataFrame
        All tables that the figures need.
    helpers : sequence of Process
        Of `processes`.

    Yields
    ------
    tuple of ReportFigure and Files
        Each figure, when it is drawn. One that another process could not draw, for whatever
        reason, is drawn in this one, where an error is raised.
    """
    waiting = deque(figures)
    arrived: queue.SimpleQueue[tuple[ReportFigure, Files | None]] = queue.SimpleQueue()

    def send(helper: Process) -> None:
        with suppress(IndexError):
            while True:
                figure = waiting.popleft()
                try:
                    arrived.put((figure, helper.call(files, figure, _needed(figure, tables))))
                except Exception:  # this process draws it instead, and raises what is wrong with it
                    arrived.put((figure, None))

    for helper in helpers:
        threading.Thread(target=send, args=(helper,), daemon=True).start()
    try:
        for _ in figures:
            figure, found = _next(waiting, arrived)
            yield figure, files(figure, _needed(figure, tables)) if found is None else found
    finally:
        waiting.clear()


def _next(
    waiting: deque[ReportFigure], arrived: queue.SimpleQueue[tuple[ReportFigure, Files | None]]
) -> tuple[ReportFigure, Files | None]:
    """Return a figure that another process has drawn, or else one that is to be drawn here."""
    with suppress(queue.Empty):
        return arrived.get_nowait()
    with suppress(IndexError):
        return waiting.popleft(), None
    while True:
        with suppress(queue.Empty):
            return arrived.get(timeout=0.5)  # without an end, Windows would not hear Ctrl-C


def _needed(figure: ReportFigure, tables: Tables) -> Tables:
    return {name: tables[name] for name in figure.needs}


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
