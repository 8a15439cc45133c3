import math
import time

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
    out, left, right = np.zeros(7), np.arange(7.0), np.ones(7)
    limits._store(out, 2.0, 3)
    assert set(out) == {8.0}
    limits._triad(out, left, right, 0.5, 2)
    assert np.array_equal(out, left + 1.5)


def test_the_best_run_counts_per_turn():
    turns_taken = []

    def task(turns):
        turns_taken.append(turns)
        time.sleep(0.001 * turns)

    seconds = limits._seconds_a_turn([task], sample=0.004, budget=0.03)
    assert 0.001 <= seconds < 0.1
    assert len(turns_taken) >= 1 + 1 + 3
    assert turns_taken[-1] >= 1


def test_errors_of_a_thread_are_raised():
    def task(turns):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        limits._seconds_a_turn([task, task])


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
    assert limit.value > 1e8
    lanes = fma.FMAS_A_TURN[dtype] // 12
    assert lanes * np.dtype(dtype).itemsize in (32, 64)


def test_all_limits_are_measured(monkeypatch):
    for name in ("stores", "triad", "gemm"):
        monkeypatch.setattr(limits, name, lambda name=name, **options: (name, options))
    monkeypatch.setattr(limits, "fma", lambda *options: ("fma", options))
    found = limits.measure_limits("float64", 2)
    assert [name for name, _ in found] == ["stores", "triad", "gemm", "fma"]
    assert found[0][1] == {"dtype": "float64", "threads": 2}
