"""Displays of progress: a bar on a terminal, an updating line in a notebook, lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib.util import find_spec
from typing import Any

from initperf._core.progress import Progress

_PAUSE_SECONDS = 0.1
"""Least time between two updates of a notebook: each is a message to the browser."""


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show the progress of what takes long, while the block runs.

    On a terminal it is a bar, which goes away in the end; in a notebook one output that is
    updated, without widgets; and elsewhere a line for each tenth. Terminal and lines are stderr.

    Parameters
    ----------
    title : str
        What is done, in a word or two.

    Yields
    ------
    callable
        To be called with (steps done, steps in all, label of the next step); functions that take
        long take it as ``progress``.

    Examples
    --------
    >>> import initperf
    >>> experiment = initperf.Experiment("he_normal", hidden=(8,), epochs=2)
    >>> with initperf.progress("training") as tell:
    ...     run = initperf.train(experiment, progress=tell)
    """
    kernel = _kernel_display()
    if kernel is not None:
        with _notebook(title, kernel) as tell:
            yield tell
    elif sys.stderr.isatty() and find_spec("rich") is not None:
        with _bar(title) as tell:
            yield tell
    else:
        yield _lines(title)


def _kernel_display() -> Callable[..., Any] | None:
    """Return IPython's display where a kernel, such as Jupyter's, runs this process."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    shown: Callable[..., Any] = display
    return shown if getattr(shell, "kernel", None) is not None else None


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        "[bold]{task.fields[title]}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        "{task.description}",
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, title=title)
        yield lambda done, total, label: bar.update(
            task, completed=done, total=total, description=label
        )


def _lines(title: str) -> Progress:
    last = -1

    def line(done: int, total: int, label: str) -> None:
        nonlocal last
        tenth = 10 * done // max(total, 1)
        if tenth > last:
            last = tenth
            print(f"{title}: {done} of {total} {label}".rstrip(), file=sys.stderr, flush=True)

    return line


class _Line:
    """The state of a display in a notebook, as HTML and as text."""

    def __init__(self, title: str) -> None:
        self.title, self.label, self.state = title, "", ""
        self.done, self.total = 0, 0
        self.begin = time.monotonic()

    def __repr__(self) -> str:
        count = f"{self.done} of {self.total}" if self.total else ""
        minutes, seconds = divmod(int(time.monotonic() - self.begin), 60)
        words = (f"{self.title}:", count, self.label, f"{minutes}:{seconds:02d}", self.state)
        return " ".join(filter(None, words))

    def _repr_html_(self) -> str:
        title, words = escape(self.title), escape(repr(self))
        bar = f'<progress max="{max(self.total, 1)}" value="{self.done}" aria-label="{title}">'
        return f"<div>{bar}</progress> {words}</div>"


@contextmanager
def _notebook(title: str, display: Callable[..., Any]) -> Iterator[Progress]:
    line = _Line(title)
    handle = display(line, display_id=True)
    shown = time.monotonic()

    def tell(done: int, total: int, label: str) -> None:
        nonlocal shown
        line.done, line.total, line.label = done, total, label
        if done >= total or time.monotonic() - shown >= _PAUSE_SECONDS:
            shown = time.monotonic()
            handle.update(line)

    try:
        yield tell
    except BaseException:
        line.state = "(stopped)"
        raise
    finally:
        handle.update(line)
