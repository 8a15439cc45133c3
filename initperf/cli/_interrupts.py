"""Delivery of Ctrl-C that arrives while Python runs inside a C callback.

An exception raised in a callback of the compiler cannot propagate through C: Python reports it to
`sys.unraisablehook` and drops it, and KeyboardInterrupt with it.
"""

import _thread
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LATER_SECONDS = 0.02


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Send SIGINT again, within the block, when Python has dropped a KeyboardInterrupt."""
    before = sys.unraisablehook

    def hook(dropped: Any) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            threading.Timer(_LATER_SECONDS, _interrupt).start()
        else:
            before(dropped)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def let_go(interruption: KeyboardInterrupt) -> None:
    """Release objects that KeyboardInterrupt left half constructed, without reports.

    Their finalizers may fail, which Python would report to `sys.unraisablehook`.

    Parameters
    ----------
    interruption : KeyboardInterrupt
        The exception, whose frames hold the objects.
    """
    before, sys.unraisablehook = sys.unraisablehook, lambda dropped: None
    try:
        traceback.clear_frames(interruption.__traceback__)
    finally:
        sys.unraisablehook = before


def _interrupt() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # wakes it from a system call as well
    else:
        _thread.interrupt_main()
