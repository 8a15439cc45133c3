"""The garbage collector during compilations."""

import gc
import threading

import child
import numpy as np
import pytest

from initperf.jit.garbage import CollectionPause
from initperf.jit.policy import jit


def test_nothing_is_collected_while_any_block_is_active():
    pause, entered, leave = CollectionPause(), threading.Event(), threading.Event()

    def other():
        with pause.active():
            entered.set()
            leave.wait(child.TIMEOUT_SECONDS)

    thread = threading.Thread(target=other)
    with pause.active():
        thread.start()
        assert entered.wait(child.TIMEOUT_SECONDS)
        assert not gc.isenabled()
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with CollectionPause().active():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_on_again_after_an_error():
    def fail():
        with CollectionPause().active():
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert gc.isenabled()


SOURCE = """
def doubled(x):
    total = 0.0
    for i in range(x.size):
        total += 2.0 * x[i]
    return total
"""


def test_a_function_is_compiled_without_collections():
    def note(phase, _):
        began.append(phase)

    for _ in range(2):  # the first in a process loads parts of Numba, outside the pause
        began, found = [], {}
        exec(SOURCE, found)  # of no file, so that no cache keeps its code
        doubled = jit(found["doubled"])
        gc.callbacks.append(note)
        try:
            assert doubled(np.ones(3)) == 6.0
        finally:
            gc.callbacks.remove(note)
        assert gc.isenabled()
    # one that was due before, and the one of all that was made; without the pause there are dozens
    assert began.count("start") <= 2
