"""Ctrl-C that is not lost.

Where Python runs inside C, as in a callback of the compiler, an exception can go no further: it
is reported and dropped, and a Ctrl-C that falls there is dropped with it.
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
    """Send a Ctrl-C again, within the block, when Python had to drop it."""
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
    """Let go of what a Ctrl-C left half made; that its finalizers fail is not worth a word."""
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
