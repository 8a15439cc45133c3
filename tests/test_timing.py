import json
import time

import numpy as np
import pytest
from simulated_clock import MS, Clock
from threadpoolctl import threadpool_info

from initperf.benchmarks.budget import Budget
from initperf.benchmarks.timing import Comparison, compare, compare_all, measure
from initperf.jit.blas import blas_threads


class Noisy(Clock):
    """A clock whose tasks vary by a factor of their own, and by one that lasts for a while."""

    def __init__(self, seed, spread=0.05):
        super().__init__()
        self.state |= {"rng": np.random.default_rng(seed), "spread": spread}

    def task(self, name, nanoseconds):
        def call():
            slower = 1.5 if (self.now // (200 * MS)) % 3 == 0 else 1.0
            self.advance(
                int(nanoseconds * slower * self.state["rng"].lognormal(0.0, self.state["spread"]))
            )

        return call


def test_measures_the_median():
    clock = Clock()
    timing = measure(
        clock.task("a", [900 * MS, *range(2 * MS, 9 * MS, MS)] + [5 * MS] * 99), watch=clock
    )
    assert timing.first_s == 0.9
    assert timing.calls == 1
    assert timing.median_s == np.median(timing.samples_s)
    assert timing.low_s <= timing.median_s <= timing.high_s
    assert timing.rounds == len(timing.samples_s) >= 5


@pytest.mark.slow
def test_a_slowed_call_is_found():
    for seed in range(10):
        clock = Noisy(seed)
        tasks = clock.task("a", 2 * MS), clock.task("b", 3 * MS)
        found = compare(*tasks, Budget(seconds=0.6), watch=clock)
        # 20 rounds at the least: 5 % · 1.2533 · √2/√20 = 2 % of error, five times which is allowed
        assert found.ratio == pytest.approx(2 / 3, rel=0.1)
        assert found.ratio_low < 2 / 3 * 1.05
        assert found.ratio_high > 2 / 3 * 0.95
        assert found.differs
        assert found.ratio_high < 1


def test_a_faster_call_is_found():
    clock = Noisy(0)
    found = compare(clock.task("a", 3 * MS), clock.task("b", 2 * MS), watch=clock)
    assert found.differs
    assert found.ratio_low > 1


@pytest.mark.slow
def test_the_same_call_is_not_told_from_itself():
    for seed in range(10):
        clock = Noisy(seed)
        tasks = clock.task("a", 2 * MS), clock.task("b", 2 * MS)
        found = compare(*tasks, Budget(seconds=0.6), seed=seed, watch=clock)
        assert not found.differs
        assert found.noise < 0.1


def test_what_slows_all_changes_no_ratio():
    """Seven rounds of ten are twice as slow, and so are the medians."""
    clock = Clock()
    rounds = ([1] * 3 + [2] * 7) * 100
    twice = [slower for slower in rounds for _ in range(2)]
    a = clock.task("a", [3 * MS * slower for slower in (1, 1, *twice)])
    b = clock.task("b", [2 * MS * slower for slower in (1, 1, *rounds)])
    found = compare(a, b, Budget(least_rounds=100), watch=clock)
    assert found.baseline.rounds == 100
    assert found.baseline.median_s == 6e-3
    assert found.ratio == found.ratio_low == found.ratio_high == 1.5
    assert found.null_ratio == 1.0


def test_the_baseline_is_compared_with_itself():
    clock = Noisy(4)
    methods = {name: clock.task(name, ms * MS) for name, ms in (("x", 4), ("base", 2), ("y", 1))}
    found = compare_all(methods, baseline="base", watch=clock)
    assert list(found) == ["x", "base", "y"]
    own = found["base"]
    assert own.candidate is not own.baseline
    assert (own.ratio, own.ratio_low, own.ratio_high) == (
        own.null_ratio,
        own.null_low,
        own.null_high,
    )
    for comparison in found.values():
        assert comparison.baseline is own.baseline
        assert comparison.null_ratio == own.null_ratio
        assert comparison.candidate.rounds == own.candidate.rounds
    assert found["x"].ratio == pytest.approx(0.5, rel=0.1)
    assert found["y"].ratio == pytest.approx(2.0, rel=0.1)


def test_the_first_method_is_the_baseline_unless_told():
    clock = Clock()
    found = compare_all({"a": clock.task("a", 4 * MS), "b": clock.task("b", MS)}, watch=clock)
    assert found["a"].ratio == 1
    assert found["b"].ratio == 4


def test_a_method_alone_is_compared_with_itself():
    clock = Clock()
    assert compare_all({"a": clock.task("a", MS)}, watch=clock)["a"].ratio == 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_result():
    def once():
        clock = Noisy(5)
        return compare(clock.task("a", MS), clock.task("b", MS), seed=1, watch=clock).record()

    assert once() == once()


def test_what_cannot_be_compared_is_named():
    with pytest.raises(ValueError, match="methods is empty"):
        compare_all({})
    with pytest.raises(ValueError, match="baseline 'c' is not among a, b"):
        compare_all({"a": int, "b": int}, baseline="c")
    with pytest.raises(ValueError, match="least_rounds is 1"):
        measure(int, Budget(least_rounds=1))


def comparison(ratio, low, high, null_low, null_high):
    return Comparison(None, None, ratio, low, high, 1.0, null_low, null_high)


@pytest.mark.parametrize(
    ("low", "high", "differs"),
    [
        (1.11, 1.3, True),
        (1.09, 1.3, False),
        (0.8, 0.9, True),
        (0.8, 0.92, False),
        (0.5, 2.0, False),
    ],
)
def test_a_difference_lies_beyond_the_noise(low, high, differs):
    for null in ((0.99, 1.1), (1 / 1.1, 1.0)):
        found = comparison(1.0, low, high, *null)
        assert found.noise == pytest.approx(0.1)
        assert found.differs is differs


def test_a_record_is_what_json_carries():
    clock = Clock()
    found = compare(clock.task("a", 3 * MS), clock.task("b", MS), watch=clock)
    record = json.loads(json.dumps(found.record()))
    assert record == {
        "ratio": 3.0,
        "ratio_low": 3.0,
        "ratio_high": 3.0,
        "null_ratio": 1.0,
        "null_low": 1.0,
        "null_high": 1.0,
    }
    assert str(found) == "3 (3 to 3) times as fast, A/A 1 (1 to 1), 8 rounds"


def test_real_time_is_measured():
    timing = measure(lambda: time.sleep(0.004), Budget(seconds=0.05))
    assert timing.samples_s.min() >= 0.004
    assert timing.low_s <= timing.median_s <= timing.high_s
    assert timing.first_s >= 0.004


@pytest.mark.slow
def test_real_callables_are_told_apart():
    found = compare(lambda: time.sleep(0.002), lambda: time.sleep(0.02), Budget(seconds=0.2))
    # a sleep is never too short, and on a busy machine as long as may be
    assert found.baseline.samples_s.min() >= 0.002
    assert found.candidate.samples_s.min() >= 0.02
    assert found.ratio == pytest.approx(found.baseline.median_s / found.candidate.median_s)


def threads_of_blas():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_all_blas_pools_are_limited_and_released():
    with blas_threads(2):
        before = threads_of_blas()
        with blas_threads(1):
            assert set(threads_of_blas()) == {1}
        assert threads_of_blas() == before


class Lucky(Clock):
    """A clock whose tasks are prepared, now and then a seventh slower for as long as they live."""

    def __init__(self, seed):
        super().__init__()
        self.state |= {"rng": np.random.default_rng(seed), "prepared": 0}

    def maker(self, nanoseconds):
        def make():
            self.state["prepared"] += 1
            own = nanoseconds * (1.15 if self.state["rng"].random() < 0.2 else 1.0)

            def call():
                self.advance(int(own * self.state["rng"].lognormal(0.0, 0.01)))

            return call

        return make


@pytest.mark.slow
def test_luck_in_preparing_is_no_difference():
    for seed in range(10):
        clock = Lucky(seed)
        makers = clock.maker(2 * MS), clock.maker(2 * MS)
        found = compare(*makers, Budget(preparations=10), watch=clock)
        assert clock.state["prepared"] == 30  # the baseline twice, the candidate once
        assert not found.differs
        assert found.ratio_low < 1 < found.ratio_high


@pytest.mark.slow
def test_luck_shows_where_it_is_not_averaged():
    """The fault that preparing anew mends: one in three comparisons is of unlike luck."""

    def differs(seed):
        clock = Lucky(seed)
        return compare(clock.maker(2 * MS)(), clock.maker(2 * MS)(), watch=clock).differs

    assert any(differs(seed) for seed in range(20))


@pytest.mark.slow
def test_a_slowed_call_is_found_through_luck():
    for seed in range(10):
        clock = Lucky(seed)
        found = compare(
            clock.maker(2 * MS), clock.maker(3 * MS), Budget(preparations=10), watch=clock
        )
        assert found.differs
        assert found.ratio_high < 0.9


def test_three_preparations_are_enough_when_the_budget_is_spent():
    clock = Lucky(0)
    compare(
        clock.maker(2 * MS),
        clock.maker(2 * MS),
        Budget(preparations=10, seconds=0.0),
        watch=clock,
    )
    assert clock.state["prepared"] == 9
