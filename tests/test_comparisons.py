"""Error rates of the comparisons with the best, on simulated accuracies with seeded noise.

A rule's accuracy is its mean, what the seed does to all rules, and normal noise of its own. The
bounds allow for the error of so many simulations: at the nominal rate, a test fails for one stream
of random numbers in a thousand.
"""

import numpy as np
import pytest
from scipy.stats import binom, studentized_range

from initperf._core.comparisons import compare_with_best, t_interval

SIMULATIONS = 400
FALSE_RATE = 0.05  # nominal, of calling any of the best rules worse
COVERAGE = 0.93
CHANCE = 0.001
SHAPES = [(rules, seeds) for rules in (2, 9, 19) for seeds in (3, 5, 10)]


def simulated(means, seeds, *, together=1.0, scatter=1.0, simulations=SIMULATIONS):
    """Yield the comparisons of simulated reports, and the true means in their order."""
    rng = np.random.default_rng(len(means) * 100 + seeds)
    for _ in range(simulations):
        noise = scatter * rng.normal(size=(seeds, len(means)))
        values = means + together * rng.normal(size=(seeds, 1)) + noise
        order = np.argsort(-values.mean(axis=0))
        steady = np.ones(len(means), dtype=bool)
        yield compare_with_best(values[:, order], steady), means[order]


def falsely_worse(reports):
    """Count the reports that call one of the truly best rules worse."""
    return sum(bool(found.worse[means == means.max()].any()) for found, means in reports)


def at_most(rate):
    return binom.ppf(1 - CHANCE, SIMULATIONS, rate)


def at_least(rate):
    return binom.ppf(CHANCE, SIMULATIONS, rate)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(("rules", "seeds"), SHAPES)
def test_equal_rules_are_called_worse_less_often_than_said(rules, seeds):
    assert falsely_worse(simulated(np.zeros(rules), seeds)) <= at_most(FALSE_RATE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "means",
    [
        np.repeat([0.0, -6.0], [5, 14]),  # those below are found, and the others compared alone
        np.repeat([0.0, -1.0], [5, 14]),
        np.arange(19) * -0.7,
        np.repeat([0.0, -0.5, -20.0], [9, 5, 5]),
    ],
    ids=["apart", "near", "even", "groups"],
)
@pytest.mark.parametrize("seeds", [3, 10])
def test_the_best_of_unequal_rules_are_called_worse_less_often_than_said(means, seeds):
    assert falsely_worse(simulated(means, seeds)) <= at_most(FALSE_RATE)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(("rules", "seeds"), SHAPES)
@pytest.mark.parametrize("together", [0.0, 1.0])
def test_the_interval_of_the_winner_covers(rules, seeds, together):
    """For equal rules, and for rules that differ as much as the means of their seeds do."""
    rng = np.random.default_rng(1)
    for means in (np.zeros(rules), rng.normal(size=rules) / np.sqrt(seeds)):
        hits = sum(
            bool(found.low[0] <= true[0] <= found.high[0])
            for found, true in simulated(means, seeds, together=together)
        )
        assert hits >= at_least(COVERAGE)


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "seeds"), SHAPES)
def test_the_intervals_of_all_differences_cover_together(rules, seeds):
    means = np.random.default_rng(2).normal(size=rules)
    hits = sum(
        bool(np.all(np.abs(found.behind - (true[0] - true)) <= found.reach))
        for found, true in simulated(means, seeds)
    )
    assert hits >= at_least(COVERAGE)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(("rules", "seeds"), [shape for shape in SHAPES if shape[0] > 2])
def test_the_winner_is_corrected_for_having_been_chosen(rules, seeds):
    """The highest of equal means is 1.5 to 1.8 standard errors too high; a fifth may remain."""
    reports = [found for found, _ in simulated(np.zeros(rules), seeds, together=0.0)]
    bias = np.mean([found.expected[0] for found in reports])
    raw = {9: 1.485, 19: 1.844}[rules] / np.sqrt(seeds)  # expected maximum of so many normal values
    # a common mean of `rules` values of `seeds` runs has an error of 1/√(rules · seeds)
    assert bias <= 0.2 * raw + 3 / np.sqrt(rules * seeds * SIMULATIONS)


def test_rules_that_differ_clearly_keep_their_means():
    means = np.array([0.0, -100.0, -200.0])
    for found, _ in simulated(means, 5, simulations=20):
        assert found.worse.tolist() == [False, True, True]
        # of two rules left or one, the means are t-interval's or drawn together by (1/100)²
        np.testing.assert_allclose(found.behind, [0, 100, 200], atol=5)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [20.0, 100.0])
def test_a_rule_that_scatters_more_is_not_called_worse_more_often(ratio):
    scatter = np.ones(19)
    scatter[7] = ratio
    # 19 rules of which 18 share the variance: the nominal rate, as the one is compared alone
    assert falsely_worse(simulated(np.zeros(19), 5, scatter=scatter)) <= at_most(FALSE_RATE)


def test_two_rules_have_the_paired_t_interval():
    rng = np.random.default_rng(0)
    values = rng.normal([0.5, 0.0], 1.0, (6, 2))
    values = values[:, np.argsort(-values.mean(axis=0))]
    found = compare_with_best(values, np.ones(2, dtype=bool))
    mean, low, high = t_interval(values[:, 0] - values[:, 1])
    assert found.behind[1] == pytest.approx(mean, rel=1e-12)
    # the quantile of the studentized range is found to a relative 1e-9
    assert found.reach[1] == pytest.approx((high - low) / 2, rel=1e-9)


def test_one_seed_says_nothing_of_differences():
    found = compare_with_best(np.array([[0.9, 0.8, 0.1]]), np.ones(3, dtype=bool))
    assert not found.worse.any()
    assert np.isnan(found.reach[1:]).all()
    assert np.isnan(found.low).all()


def test_the_quantile_grows_with_the_rules_that_are_left():
    """Of two rules far below and two near each other, the last are compared as two."""
    rng = np.random.default_rng(3)
    values = np.array([0.3, 0.0, -50.0, -60.0]) + rng.normal(size=(4, 4))
    found = compare_with_best(values, np.ones(4, dtype=bool))
    assert found.worse.tolist() == [False, False, True, True]
    own = np.var(values[:, 0] - values[:, 1], ddof=1) / 2
    expected = studentized_range.ppf(0.95, 2, 3) * np.sqrt(own / 4)
    assert found.reach[1] == pytest.approx(expected, rel=1e-9)
