"""A log message when a wait for the compiler becomes noticeable.

It goes to the logger ``initperf.jit`` at the level INFO, once a process:
``logging.basicConfig(level=logging.INFO)`` shows it, and the command line does so on a terminal.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from initperf.jit.internals import wrap_compilation

NOTICEABLE_SECONDS = 1.0

LOGGER = logging.getLogger("initperf.jit")


class CompileNotice:
    """Timer of the seconds that a process has spent compiling.

    Parameters
    ----------
    seconds : float
        After how many of them the message is logged.
    """

    def __init__(self, seconds: float = NOTICEABLE_SECONDS) -> None:
        self._left = seconds
        self._lock = threading.Lock()
        self._active = 0
        self._begin = 0.0
        self._timer: threading.Timer | None = None

    @contextmanager
    def compiling(self, name: str) -> Iterator[None]:
        """Count the time of a block, which compiles a function of this name.

        Blocks may be nested, and may be active on several threads: their time counts once.
        """
        with self._lock:
            self._active += 1
            if self._active == 1 and self._left > 0.0:
                self._begin = time.perf_counter()
                self._timer = threading.Timer(self._left, self._tell, (name,))
                self._timer.daemon = True
                self._timer.start()
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1
                if self._active == 0 and self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
                    self._left -= time.perf_counter() - self._begin

    def _tell(self, name: str) -> None:
        LOGGER.info("compiling (once per machine): %s", name)


_NOTICE = CompileNotice()


def announce(jitted: Callable[..., Any]) -> None:
    """Let a jitted function say when its process waits for the compiler.

    Parameters
    ----------
    jitted : callable
        See `initperf.jit.internals.wrap_compilation`, without which nothing is said.
    """
    wrap_compilation(jitted, functools.partial(_compile, jitted.__qualname__))


def _compile(name: str, compile_function: Callable[..., Any], *arguments: Any) -> Any:
    """Compile as numba does; where that takes long, say so."""
    with _NOTICE.compiling(name):
        return compile_function(*arguments)
