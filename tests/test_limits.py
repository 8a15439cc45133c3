import math
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from initperf.benchmarks import limits
from initperf.jit import fma

SMALL = {"stores": {"count": 500}, "triad": {"count": 500}, "gemm": {"size": 16}}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", list(SMALL))
def test_limits_are_rates(name, dtype, threads):
    limit = getattr(limits, name)(dtype=dtype, threads=threads, **SMALL[name])
    assert limit.threads == threads
    # from interpreted Python on a slow machine to more than any processor does
    assert 1e4 < limit.value < 1e15
    assert limit.unit == ("FLOP/s" if name == "gemm" else "B/s")


def test_a_limit_gives_seconds_and_words():
    limit = limits.Limit("plain stores", 5e9, "B/s", 2)
    assert limit.seconds(1e9) == 0.2
    assert limit.words == "plain stores, 2 threads"
    assert str(limit) == "plain stores, 2 threads: 5 GB/s"
    assert limits.Limit("FMA", 1e9, "FLOP/s", 1).words == "FMA, 1 thread"


def test_loops_do_what_they_say():
    """A turn stores the last value plus 1, from 1 on; triad adds as many ones to 1."""
    (store,) = limits.store_tasks(7, "float64", 1)
    store(3)
    assert set(store.args[0]) == {4.0}
    (triad,) = limits.triad_tasks(7, "float64", 1)
    triad(2)
    assert set(triad.args[0]) == {1.0 + 3.0}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 7, 16, 100])
def test_lines_and_what_is_beside_them_are_stored(count, dtype):
    tasks = limits.streaming_tasks(count, dtype, 2)
    for task in tasks:
        task(3)
    assert sum(task.args[0].size for task in tasks) == count
    assert all(np.all(task.args[0] == 4) for task in tasks)


def test_the_faster_stores_are_the_limit(monkeypatch):
    seconds = {"plain": 2.0, "streaming": 1.0}
    monkeypatch.setattr(limits, "store_tasks", lambda *_: "plain")
    monkeypatch.setattr(limits, "streaming_tasks", lambda *_: "streaming")
    monkeypatch.setattr(limits, "compiles", lambda: True)
    monkeypatch.setattr(limits, "least_seconds_a_turn", lambda tasks: seconds[tasks])
    assert limits.stores(2**24) == limits.Limit("non-temporal stores", 2.0**26, "B/s", 1)
    assert limits.stores(2**14) == limits.Limit("plain stores", 2.0**15, "B/s", 1)
    seconds["plain"] = 0.5
    assert limits.stores(2**24) == limits.Limit("plain stores", 2.0**27, "B/s", 1)


def test_tasks_share_an_array():
    tasks = limits.store_tasks(10, "float32", 3)
    for task in tasks:
        task(1)
    assert [len(task.args[0]) for task in tasks] == [4, 3, 3]
    assert all(set(task.args[0]) == {2.0} for task in tasks)


@pytest.fixture
def now(monkeypatch):
    """Give the time that limits are measured by, which passes only where a test says so."""
    time = [0.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(perf_counter=lambda: time[0]))
    return time


def test_the_best_run_counts_per_turn(now):
    turns_taken = []

    def task(turns):
        turns_taken.append(turns)
        now[0] += 0.001 * turns + 0.0005 * (len(turns_taken) % 2)  # every second one is disturbed

    seconds = limits.least_seconds_a_turn([task], sample_seconds=0.0035, budget_seconds=0.029)
    assert seconds == pytest.approx(0.001, rel=1e-12)
    # one starts the threads, 1, 2 and 4 turns fill a sample, and then there is one of 4.5 or 4 ms
    # after another, 30 ms of them
    assert turns_taken == [1, 1, 2, 4, *[4] * 7]


@pytest.mark.parametrize(("lower", "samples"), [(1.0, 1 + 10), (0.997, 1 + 10), (0.9, 30)])
def test_samples_end_where_the_least_stands(lower, samples, now):
    """Each sample takes `lower` times what the one before took."""
    times = []

    def task(turns):
        times.append(0.004 * lower ** len(times))
        now[0] += times[-1]

    # two calls before the samples start the threads and fill a sample; only the least that always
    # falls goes on until 30 samples have used up the budget
    budget = sum(0.004 * lower**call for call in range(2, 2 + 30 - 1)) * (1.0 + 1e-9)
    seconds = limits.least_seconds_a_turn([task], sample_seconds=0.0, budget_seconds=budget)
    assert len(times) == 2 + samples
    assert seconds == pytest.approx(min(times), rel=1e-6)


def test_errors_of_a_thread_are_raised():
    def task(turns):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        limits.least_seconds_a_turn([task, task])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_multiply_adds(dtype):
    """12 chains from 0, 1, … 11, each turn c → c/2 + 1/2 on every lane."""
    limit = limits.fma(dtype)
    if numba.config.DISABLE_JIT:
        assert math.isnan(limit.value)
        return
    half = np.full((), 0.5, dtype)[()]
    assert fma.fma_chains(1, half) == sum(chain / 2 + 0.5 for chain in range(12))
    assert fma.fma_chains(200, half) == 12
    assert 1e4 < limit.value < 1e15  # as above
    lanes = fma.FMAS_A_TURN[dtype] // 12
    assert lanes * np.dtype(dtype).itemsize in (32, 64)
