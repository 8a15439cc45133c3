"""Named phases of a run, timed while an observer is set.

Code names its phases with `phase`, which costs a look-up while nothing observes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Observer = Callable[[str, float, float], object]

_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Run the block as the phase of this name."""
    observer = _OBSERVER.get()
    if observer is None:
        yield
        return
    begin = time.perf_counter()
    try:
        yield
    finally:
        observer(name, begin, time.perf_counter())


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Report every phase that ends in the block, on this thread.

    Parameters
    ----------
    observer : callable
        Called with the phase's name and its begin and end, in seconds of `time.perf_counter`;
        of nested phases the inner one is reported first.
    """
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)
