"""Control benchmarks: what a call does, on how many threads, and what their rows say."""

import threading

import child
import pytest

from initperf.benchmarks import controls
from initperf.benchmarks.controls import CONTROLS, Control, measure_controls


def control_of(tasks):
    return Control("c", "9", "float32", tasks, turns=3)


def test_a_call_runs_a_task_on_each_of_several_threads():
    together, turns = threading.Barrier(2, timeout=child.TIMEOUT_SECONDS), []

    def task(count):
        together.wait()  # for ever on one thread
        turns.append(count)

    call = control_of(lambda threads: [task] * threads).prepare(2)
    call()
    call()
    assert turns == [3] * 4


def test_errors_of_a_task_are_raised():
    def task(count):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        control_of(lambda threads: [task] * threads).prepare(1)()


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_every_control_can_be_called(control):
    assert len(control.tasks(2)) == 2
    control.prepare(2)()


@pytest.mark.slow
def test_all_are_measured_on_all_threads(monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "2")
    monkeypatch.setattr(controls, "CONTROLS", CONTROLS[:2])
    rows = measure_controls(seconds=0.0)
    assert len({row.name for row in rows}) == len(rows) == 2
    assert {(row.role, row.threads) for row in rows} == {("control", 2)}
    assert all(row.ratio > 0 for row in rows)


def test_one_thread_needs_no_controls_of_several(monkeypatch):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    assert measure_controls() == []
