"""A Ctrl-C that falls where Python must drop it."""

import ctypes
import signal
import sys
import time

import pytest

from initperf.interrupts import interrupts_kept


@ctypes.CFUNCTYPE(None)
def interrupted_in_c():
    signal.raise_signal(signal.SIGINT)


def work_through():
    with interrupts_kept():
        interrupted_in_c()
        time.sleep(20)


def test_a_dropped_interrupt_comes_again():
    with pytest.raises(KeyboardInterrupt):
        work_through()


def test_what_else_is_dropped_is_reported_as_before(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)

    @ctypes.CFUNCTYPE(None)
    def fails():
        raise ArithmeticError

    with interrupts_kept():
        fails()
    assert [one.exc_type for one in seen] == [ArithmeticError]
    assert sys.unraisablehook == seen.append
