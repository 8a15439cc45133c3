import gc

import numpy as np
import pytest
from simulated_clock import MS, Clock

from initperf.benchmarks._bootstrap import bootstrap, medians_themselves
from initperf.benchmarks._rounds import SAMPLE_NS, Stopwatch, prepare, take_samples
from initperf.benchmarks.budget import Budget


def rounds_of(methods, clock, **budget):
    budget = Budget(**{"seconds": 1.0, "precision": 0.0, "least_rounds": 5, **budget})

    def prepare_all():
        return methods

    _, samples, _ = take_samples(prepare_all, medians_themselves, budget, 0, clock)
    return samples


@pytest.mark.parametrize("nanoseconds", [1, 70, 999, 40_000, 999_999, 1_000_000, 5_000_000])
def test_a_sample_lasts_long_enough_and_not_much_longer(nanoseconds):
    clock = Clock()
    prepared = prepare(clock.task("a", nanoseconds), clock)
    assert prepared.calls * nanoseconds >= SAMPLE_NS
    assert prepared.calls * nanoseconds <= max(2 * nanoseconds, 1.2 * SAMPLE_NS)


def test_a_call_shorter_than_a_tick_of_the_clock_is_batched():
    clock = Clock()
    tick = SAMPLE_NS // 2
    coarse = Stopwatch(lambda: clock.now // tick * tick)
    prepared = prepare(clock.task("a", 100), coarse)
    assert prepared.calls * 100 >= SAMPLE_NS


def test_the_first_call_is_timed_apart():
    clock = Clock()
    prepared = prepare(clock.task("a", [5000 * MS] + [2 * MS] * 9), clock)
    assert prepared.first_s == 5.0
    assert prepared.calls == 1


def test_every_round_takes_every_method_once_in_orders_that_differ():
    clock = Clock()
    samples = rounds_of(
        [clock.task(name, MS) for name in "abc"], clock, least_rounds=100, seconds=0.0
    )
    calls = clock.calls[-300:]
    orders = [tuple(calls[first : first + 3]) for first in range(0, len(calls), 3)]
    assert len(orders) == len(samples) == 100
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    # 100 draws of 6 orders miss one with probability 6 (5/6)^100 = 7e-8
    assert len(set(orders)) == 6


def test_samples_are_seconds_a_call_in_the_column_of_their_method():
    clock = Clock()
    samples = rounds_of([clock.task("a", 20_000), clock.task("b", 3 * MS)], clock)
    assert np.allclose(samples, [20e-6, 3e-3], rtol=1e-12)


def test_a_method_in_two_columns_is_prepared_once():
    clock = Clock()
    task = clock.task("a", 3 * MS)
    samples = rounds_of([task, task], clock, seconds=0.0)
    assert samples.shape == (5, 2)
    assert len(clock.calls) == 2 + samples.size


def test_stops_once_it_is_precise_enough():
    clock = Clock()
    samples = rounds_of([clock.task("a", MS)], clock, precision=0.01, seconds=100.0)
    assert len(samples) == 8  # from which on correlated rounds would show


def test_goes_on_until_the_interval_is_narrow():
    clock = Clock()
    noise = np.random.default_rng(1).lognormal(np.log(2 * MS), 0.1, 10_000).astype(int)
    samples = rounds_of([clock.task("a", noise)], clock, precision=0.02, seconds=100.0)
    low, high = bootstrap(samples, rng=np.random.default_rng(0))
    # another resampling of 1,000 knows the ends of an interval to about a tenth of its width
    assert np.sqrt(high / low)[0] <= 1.023
    # the interval of a median of n is within 1.96 · 1.2533 · 0.1/√n: 2 % takes n = 151, or fewer
    # where an interval happens to be narrow, and the next look comes after half as many again
    assert 40 < len(samples) < 400


@pytest.mark.slow
def test_begins_no_round_after_the_budget_but_takes_the_least_rounds():
    def taken(seconds):
        clock = Clock()
        rounds = [95, 105, 97, 103, 98, 102, 99, 101, 96, 104]
        task = clock.task("a", [milliseconds * MS for milliseconds in [100, 100, *rounds]])
        return len(rounds_of([task], clock, seconds=seconds))

    assert taken(1.0) == 10
    assert taken(0.0) == 5


def test_a_pause_before_every_sample_is_not_counted():
    clock = Clock()
    samples = rounds_of([clock.task("a", MS), clock.task("b", 2 * MS)], clock, pause_seconds=0.03)
    assert clock.state["slept"] == [0.03] * samples.size
    np.testing.assert_allclose(samples, np.tile([1e-3, 2e-3], (len(samples), 1)))


def test_the_garbage_collector_is_off_meanwhile_and_on_afterwards():
    clock = Clock()
    seen = []
    task = clock.task("a", MS)
    rounds_of([lambda: (task(), seen.append(gc.isenabled()))], clock)
    assert seen
    assert not any(seen)
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
