"""Interrupts raised where Python cannot propagate them: in C callbacks and finalizers."""

import ctypes
import signal
import sys
import time

import pytest

from initperf import cli
from initperf.cli._interrupts import interrupts_kept, let_go


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


class HalfMade:
    """An object whose constructor is interrupted, and whose finalizer needs it complete."""

    def __init__(self):
        signal.raise_signal(signal.SIGINT)
        self.whole = True

    def __del__(self):
        assert self.whole


def test_what_a_ctrl_c_left_half_made_goes_without_a_word(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: seen.append(dropped.exc_type))
    try:
        HalfMade()
    except KeyboardInterrupt as interruption:
        let_go(interruption)
    assert seen == []
    assert sys.unraisablehook(type("Dropped", (), {"exc_type": KeyError})) is None
    assert seen == [KeyError]


def test_a_ctrl_c_during_the_import_of_the_command_line_is_no_traceback(monkeypatch, capsys):
    class Interrupting:
        def find_spec(self, name, path=None, target=None):
            if name == "initperf.cli._main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "initperf.cli._main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert cli.main(["list"]) == 130
    assert capsys.readouterr().err == "initperf: interrupted\n"
