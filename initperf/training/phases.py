"""Named parts of a work, for whoever wants to know how long each of them takes.

Work names its parts with `phase`, which costs nothing to speak of while nobody observes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Observer = Callable[[str, float, float], object]

_OBSERVER: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Do a part of a work under its name."""
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
    """Tell of every phase that ends in the block, on this thread.

    Parameters
    ----------
    observer : callable
        Called with the phase's name and when it began and ended, in seconds of
        `time.perf_counter`. Of nested phases the inner ends first.
    """
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)
