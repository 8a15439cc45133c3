"""Bootstrap intervals of medians and of their ratios: simulated coverage, and paired rounds."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import binom

from initperf.benchmarks._bootstrap import bootstrap


def ratios(medians):
    return medians[:, :1] / medians[:, 1:]


def width(samples, rng, **options):
    low, high = bootstrap(samples, rng=rng, **options)
    return float(high[0] - low[0])


def test_values_of_a_round_stay_together():
    rng = np.random.default_rng(0)
    slow = rng.exponential(size=37)
    low, high = bootstrap(np.column_stack([slow, 3 * slow]), ratios, rng=rng)
    assert np.allclose([low[0], high[0]], 1 / 3, rtol=1e-15)


def test_large_samples_are_resampled_in_parts_of_the_same_distribution():
    rng = np.random.default_rng(0)
    samples = rng.normal(10.0, 1.0, (20_000, 1))
    # the standard deviation of the median of n normal values is 1.2533 σ/√n, and 95 % lie within
    # 1.96 of them on either side; the sample's own density at the median, on which the width
    # depends, is known to about 1/√(number of values within it) = 9 %: three times which is allowed
    assert width(samples, rng) == pytest.approx(2 * 1.96 * 1.2533 / np.sqrt(20_000), rel=0.27)


def test_intervals_cover_the_median_as_often_as_they_say():
    rng = np.random.default_rng(2)
    trials, hits = 300, 0
    for _ in range(trials):
        low, high = bootstrap(rng.exponential(size=(60, 1)), rng=rng)
        hits += bool(low[0] <= np.log(2) <= high[0])
    # 95 % less what a bootstrap of 60 values lacks, about 2 %; 300 trials have an error of 1.3 %
    assert 0.89 <= hits / trials <= 0.985


@pytest.mark.slow
def test_intervals_of_ratios_cover_as_often_as_they_say():
    """Rounds share a disturbance that cancels in the ratio."""
    rng = np.random.default_rng(5)
    trials, hits = 300, 0
    for _ in range(trials):
        shared = rng.lognormal(0.0, 0.3, (60, 1))
        samples = shared * rng.lognormal(np.log([2.0, 1.0]), 0.05, (60, 2))
        low, high = bootstrap(samples, ratios, rng=rng)
        hits += bool(low[0] <= 2.0 <= high[0])
    # as above; medians of two columns are smoother, and cover a little more
    assert 0.89 <= hits / trials <= 1.0


def test_few_preparations_cover_as_often_as_they_say():
    """What differs between preparations is most of the noise: rounds within them add little."""
    rng = np.random.default_rng(6)
    trials, hits = 200, 0
    for _ in range(trials):
        own = np.repeat(rng.normal(10.0, 1.0, 5), 6)
        samples = (own + rng.normal(0.0, 0.3, 30))[:, None]
        low, high = bootstrap(samples, preparations=5, rng=rng)
        hits += bool(low[0] <= 10.0 <= high[0])
    # 95 % with an error of 1.5 % for 200 trials, three of them allowed below
    assert hits / trials >= 0.905


TRIALS = 300
AT_LEAST = binom.ppf(0.001, TRIALS, 0.93)


def noise(rng, correlation, shape):
    """Return normal noise of which each row correlates with the next."""
    innovations = rng.normal(size=shape)
    innovations[1:] *= np.sqrt(1 - correlation**2)
    return lfilter([1.0], [1.0, -correlation], innovations, axis=0)


def covered(samples_of, **options):
    """Count the A/A ratios, and the medians, whose intervals include 1."""
    rng = np.random.default_rng(0)
    hits = np.zeros(3, dtype=int)

    def values(medians):
        return np.hstack([medians, ratios(medians)])

    for _ in range(TRIALS):
        low, high = bootstrap(samples_of(rng), values, rng=rng, **options)
        hits += (low <= 1.0) & (high >= 1.0)
    return hits


@pytest.mark.exhaustive
@pytest.mark.parametrize("rounds", [2, 3, 4, 5, 8, 12, 70])
def test_rounds_of_a_report_cover_as_often_as_they_say(rounds):
    """From the fewest rounds of one pass of several to what quick calls take in their seconds."""
    hits = covered(lambda rng: np.exp(0.05 * rng.normal(size=(rounds, 2))))
    assert hits.min() >= AT_LEAST


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(("rounds", "correlation"), [(8, 0.5), (20, 0.8), (70, 0.8)])
def test_rounds_that_follow_each_other_cover_as_often_as_they_say(rounds, correlation):
    """From the rounds on at which a timing may stop; eight tell 0.8 only roughly."""
    hits = covered(lambda rng: np.exp(0.05 * noise(rng, correlation, (rounds, 2))))
    assert hits.min() >= AT_LEAST


@pytest.mark.exhaustive
@pytest.mark.parametrize("preparations", [2, 3, 4, 10])
@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_preparations_cover_as_often_as_they_say(preparations, correlation):
    """Three rounds each, as `initperf bench` and the fixture ``ab`` take at least."""

    def samples(rng):
        own = np.repeat(rng.normal(size=(preparations, 2)), 3, axis=0)
        rest = [noise(rng, correlation, (3, 2)) for _ in range(preparations)]
        return np.exp(0.05 * (own + np.concatenate(rest)))

    assert covered(samples, preparations=preparations).min() >= AT_LEAST


@pytest.mark.slow
def test_far_values_hide_no_correlation():
    """One round in seven is disturbed, in one method or the other."""

    def samples(rng):
        far = rng.exponential(0.3, (70, 2)) * (rng.random((70, 2)) < 0.15)
        return np.exp(0.05 * noise(rng, 0.5, (70, 2)) + far)

    assert covered(samples)[2] >= AT_LEAST


def test_a_time_of_nothing_has_an_interval_of_nothing():
    low, high = bootstrap(np.zeros((5, 1)), rng=np.random.default_rng(0))
    assert (low[0], high[0]) == (0.0, 0.0)


def test_times_without_an_upper_end_have_no_warning():
    low, high = bootstrap(np.array([[1e-300], [1e300]]), rng=np.random.default_rng(0))
    assert (low[0], high[0]) == (pytest.approx(0.0, abs=1e-3), np.inf)


def test_disturbances_that_last_widen_the_interval():
    rng = np.random.default_rng(3)
    burst = np.repeat(rng.normal(size=60), 8)[:, None]
    shuffled = rng.permutation(burst)
    # blocks of 8 equal values leave 60 of 480 independent: √8 wider if blocks were that long
    assert width(burst, rng) > 1.6 * width(shuffled, rng)
