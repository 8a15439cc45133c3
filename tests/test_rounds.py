import gc

import numpy as np
import pytest

from initperf.benchmarks._rounds import (
    SAMPLE_NS,
    Stop,
    interval,
    prepare,
    resampled_medians,
    take_rounds,
)

MS = 1_000_000


class Clock:
    """Time that passes only in its tasks."""

    def __init__(self):
        self.now = 0
        self.calls = []

    def __call__(self):
        return self.now

    def task(self, name, nanoseconds):
        durations = iter(nanoseconds) if np.iterable(nanoseconds) else None

        def call():
            self.calls.append(name)
            self.now += next(durations) if durations else nanoseconds

        return call


def rounds_of(methods, clock, **stop):
    stop = Stop(**{"budget_seconds": 1.0, "precision": 0.0, "least_rounds": 5, **stop})
    prepared = [prepare(call, clock) for call in methods]
    clock.calls.clear()
    return take_rounds(prepared, lambda medians: medians, stop, 0, clock)


@pytest.mark.parametrize("nanoseconds", [1, 70, 999, 40_000, 999_999, 1_000_000, 5_000_000])
def test_a_sample_lasts_long_enough_and_not_much_longer(nanoseconds):
    clock = Clock()
    prepared = prepare(clock.task("a", nanoseconds), clock)
    assert prepared.calls * nanoseconds >= SAMPLE_NS
    assert prepared.calls * nanoseconds <= max(2 * nanoseconds, 1.2 * SAMPLE_NS)


def test_a_call_shorter_than_a_tick_of_the_clock_is_batched():
    clock = Clock()
    tick = SAMPLE_NS // 2
    prepared = prepare(clock.task("a", 100), lambda: clock.now // tick * tick)
    assert prepared.calls * 100 >= SAMPLE_NS


def test_the_first_call_is_timed_apart():
    clock = Clock()
    prepared = prepare(clock.task("a", [5000 * MS] + [2 * MS] * 9), clock)
    assert prepared.first_s == 5.0
    assert prepared.calls == 1


def test_every_round_takes_every_method_once_in_orders_that_differ():
    clock = Clock()
    samples, _ = rounds_of([clock.task(name, MS) for name in "abc"], clock, least_rounds=100)
    orders = [tuple(clock.calls[first : first + 3]) for first in range(0, len(clock.calls), 3)]
    assert len(orders) == len(samples) == 100
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    # 100 draws of 6 orders miss one with probability 6 (5/6)^100 = 7e-8
    assert len(set(orders)) == 6


def test_samples_are_seconds_a_call_in_the_column_of_their_method():
    clock = Clock()
    samples, medians = rounds_of([clock.task("a", 20_000), clock.task("b", 3 * MS)], clock)
    assert np.allclose(samples, [20e-6, 3e-3], rtol=1e-12)
    assert np.allclose(medians, [20e-6, 3e-3], rtol=1e-12)


def test_stops_once_it_is_precise_enough():
    clock = Clock()
    samples, _ = rounds_of([clock.task("a", MS)], clock, precision=0.01, budget_seconds=100.0)
    assert len(samples) == 5


def test_goes_on_until_the_interval_is_narrow():
    clock = Clock()
    noise = np.random.default_rng(1).lognormal(np.log(2 * MS), 0.1, 10_000).astype(int)
    samples, medians = rounds_of(
        [clock.task("a", noise)], clock, precision=0.02, budget_seconds=100.0
    )
    low, high = interval(medians)
    assert np.sqrt(high / low)[0] <= 1.02
    # the interval of a median of n is within 1.96 · 1.2533 · 0.1/√n: 2 % takes n = 151, or fewer
    # where an interval happens to be narrow, and the next look comes after half as many again
    assert 40 < len(samples) < 400


def test_begins_no_round_after_the_budget_but_takes_the_least_rounds():
    def taken(budget_seconds):
        clock = Clock()
        rounds = [95, 105, 97, 103, 98, 102, 99, 101, 96, 104]
        task = clock.task("a", [milliseconds * MS for milliseconds in [100, 100, *rounds]])
        return len(rounds_of([task], clock, budget_seconds=budget_seconds)[0])

    assert taken(1.0) == 10
    assert taken(0.0) == 5


def test_a_pause_before_every_sample_is_not_counted(monkeypatch):
    clock = Clock()
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        clock.now += 30 * MS

    monkeypatch.setattr("initperf.benchmarks._rounds.time.sleep", sleep)
    samples, _ = rounds_of(
        [clock.task("a", MS), clock.task("b", 2 * MS)], clock, pause_seconds=0.03
    )
    assert slept == [0.03] * samples.size
    np.testing.assert_allclose(samples, np.tile([1e-3, 2e-3], (len(samples), 1)))


def test_the_garbage_collector_is_off_meanwhile_and_on_afterwards():
    clock = Clock()
    seen = []
    task = clock.task("a", MS)
    rounds_of([lambda: (task(), seen.append(gc.isenabled()))], clock)
    assert seen[:2] == [True, True]
    assert not any(seen[2:])
    assert gc.isenabled()


def test_the_garbage_collector_is_on_again_after_an_error():
    clock = Clock()
    with pytest.raises(StopIteration):
        rounds_of([clock.task("a", [MS] * 4)], clock)
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    clock = Clock()
    gc.disable()
    try:
        rounds_of([clock.task("a", MS)], clock)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("name", "value"),
    [("least_rounds", 1), ("budget_seconds", -1.0), ("precision", -0.1), ("pause_seconds", -1.0)],
)
def test_limits_that_cannot_be_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        Stop(**{"budget_seconds": 1.0, "precision": 0.0, "least_rounds": 5, name: value})


def test_values_of_a_round_stay_together():
    rng = np.random.default_rng(0)
    slow = rng.exponential(size=37)
    medians = resampled_medians(np.column_stack([slow, 3 * slow]), rng)
    assert np.allclose(medians[:, 1], 3 * medians[:, 0], rtol=1e-15)


def test_large_samples_are_resampled_in_parts_of_the_same_law():
    rng = np.random.default_rng(0)
    samples = rng.normal(10.0, 1.0, (100_000, 1))
    medians = resampled_medians(samples, rng, 100)
    # std of the median of n normal values is 1.2533 σ/√n; of 100 medians it is known to 7 %
    assert 0.79 < np.std(medians) / (1.2533 / np.sqrt(100_000)) < 1.21


def test_intervals_cover_the_median_as_often_as_they_say():
    rng = np.random.default_rng(2)
    trials, hits = 300, 0
    for _ in range(trials):
        low, high = interval(resampled_medians(rng.exponential(size=(60, 1)), rng, 400))
        hits += bool(low[0] <= np.log(2) <= high[0])
    # 95 % less what a bootstrap of 60 values lacks, about 2 %; 300 trials have an error of 1.3 %
    assert 0.89 <= hits / trials <= 0.985


def test_disturbances_that_last_widen_the_interval():
    rng = np.random.default_rng(3)
    burst = np.repeat(rng.normal(size=60), 8)[:, None]
    shuffled = rng.permutation(burst)
    width = [
        np.subtract(*reversed(interval(resampled_medians(x, rng))))[0] for x in (burst, shuffled)
    ]
    # blocks of 8 equal values leave 60 of 480 independent: √8 wider if blocks were that long
    assert width[0] > 1.6 * width[1]
