"""End of a process that does not wait for its threads, without leaving what they have begun.

Compiled code and the compiler cannot be interrupted on a thread. After Ctrl-C a command ends
without them: processes that they have started are ended, their temporary directories removed.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TypeVar

Made = TypeVar("Made")

HURRIED = threading.Event()
"""Whether the process, when it ends, does not wait for threads that go on; set after Ctrl-C."""

_lock = threading.Lock()
_leaving = threading.Event()
_held: list[Callable[[], object]] = []


@contextmanager
def held(make: Callable[[], Made], end: Callable[[Made], object]) -> Iterator[Made]:
    """Make something and end it with the block, or in `leave` where the block never ends.

    Parameters
    ----------
    make : callable
        Makes it, such as a process.
    end : callable
        Ends it; may be called twice, even at once.

    Raises
    ------
    RuntimeError
        When the process is leaving; nothing is made then.
    """
    with _lock:
        if _leaving.is_set():
            raise RuntimeError("the process ends")
        made = make()

        def ending() -> object:
            return end(made)

        _held.append(ending)
    try:
        yield made
    finally:
        try:
            ending()
        finally:
            _held.remove(ending)  # not before: `leave` would not wait for what has begun to end


def leave(code: int) -> NoReturn:
    """End the process now, whatever its threads do, and what they hold; for the main thread.

    Parameters
    ----------
    code : int
        Exit code.
    """
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # another Ctrl-C would leave things behind
        with _lock:
            _leaving.set()
        for ending in reversed(_held.copy()):
            with suppress(Exception):
                ending()
        sys.stdout.flush()
    finally:
        os._exit(code)
