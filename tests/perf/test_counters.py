"""Counting events of a call, where the system allows it: page faults, which every machine has."""

import mmap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from initperf.benchmarks.hardware_counters import CYCLES, INSTRUCTIONS, PAGE_FAULTS, counted

PAGES = 2000
OTHERS = 500
"""Faults of all else in a call: the stack of a thread, the interpreter's own memory."""


def touch():
    with mmap.mmap(-1, PAGES * mmap.PAGESIZE) as memory:  # shared memory: seldom huge pages
        with suppress(OSError):  # of a kernel without them
            memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(PAGES):
            memory[page * mmap.PAGESIZE] = 1


def in_a_new_thread():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(touch).result()


def test_events_of_this_thread_of_new_ones_and_of_old_ones_are_counted():
    with ThreadPoolExecutor(1) as old:
        old.submit(int).result()
        for call in (touch, in_a_new_thread, lambda: old.submit(touch).result()):
            (found,) = counted(call, (PAGE_FAULTS,))
            assert PAGES <= found <= PAGES + OTHERS


def test_what_is_counted_stands_at_its_place():
    calls = []
    instructions, faults, cycles = counted(
        lambda: (calls.append(1), touch()), (INSTRUCTIONS, PAGE_FAULTS, CYCLES)
    )
    assert calls == [1]
    assert faults >= PAGES
    for found in (instructions, cycles):  # no number where the machine has no counter
        assert found != found or found > PAGES


def test_a_call_that_raises_does_so():
    with pytest.raises(ZeroDivisionError):
        counted(lambda: 1 / 0, (PAGE_FAULTS,))
