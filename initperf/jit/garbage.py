"""Pause of the garbage collector while a function is compiled.

The compiler makes millions of small objects that live until the function is done. Python's
collector looks through them again and again, a sixth of the processor time of a compilation, and
finds next to nothing.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from initperf.jit.internals import wrap_compilation


class CollectionPause:
    """Pause of the collector for as long as any of several blocks is active, on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self._resumes = False

    @contextmanager
    def active(self) -> Iterator[None]:
        """Collect no garbage within the block, and afterwards as before."""
        with self._lock:
            self._active += 1
            if self._active == 1:
                self._resumes = gc.isenabled()
                gc.disable()
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1
                if self._active == 0 and self._resumes:
                    gc.enable()


_PAUSE = CollectionPause()


def pause_collection(jitted: Callable[..., Any]) -> None:
    """Let a jitted function be compiled without collections of garbage.

    Parameters
    ----------
    jitted : callable
        See `initperf.jit.internals.wrap_compilation`, without which they take place.
    """
    wrap_compilation(jitted, _compile)


def _compile(compile_function: Callable[..., Any], *arguments: Any) -> Any:
    with _PAUSE.active():
        return compile_function(*arguments)
