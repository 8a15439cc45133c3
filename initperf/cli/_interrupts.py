"""Signals that end a verb: Ctrl-C, and the requests to terminate and of a closed terminal.

Each raises KeyboardInterrupt, so that whatever a verb has begun is cleaned up: children end, and
temporary files go. Where Python runs inside C, as in a callback of the compiler, an exception
cannot propagate: it is reported and dropped, and is therefore sent again.
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


_ENDING = ("SIGTERM", "SIGHUP")


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Treat signals that end the process as Ctrl-C, and repeat one that Python had to drop."""
    before = sys.unraisablehook

    def hook(dropped: Any) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            threading.Timer(_LATER_SECONDS, _interrupt).start()
        else:
            before(dropped)

    sys.unraisablehook = hook
    try:
        with _ending_as_interrupts():
            yield
    finally:
        sys.unraisablehook = before


@contextmanager
def _ending_as_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt for signals that would end the process without a clean-up.

    Signals that are ignored, as under nohup, or handled by the caller stay so. Only the main
    thread can set handlers.
    """
    handled = {}
    if threading.current_thread() is threading.main_thread():
        for name in _ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                handled[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)


def let_go(interruption: KeyboardInterrupt) -> None:
    """Release what an interrupt left half constructed, and ignore errors of its finalizers."""
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
