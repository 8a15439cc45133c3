"""Finite width and dead networks: exact sums and bounds against simulated ReLU networks."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

from initperf.theory import born_dead_bounds, relu_log_norm, second_moment_ratio, silent_probability

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
WIDTHS = (30, 20, 25, 40)
DRAWS = 4000


def relative_norms(widths, slope, seed):
    """Return of networks fed with a vector of mean square 1 ‖z_L‖²/n_L, and ‖J u‖² n_0/n_L."""
    rng = np.random.default_rng(seed)
    fan_in = widths[0]
    x = np.ones((DRAWS, fan_in))
    u = rng.standard_normal((DRAWS, fan_in))
    u *= np.sqrt(fan_in / np.sum(u * u, axis=1))[:, None]
    for width in widths:
        weights = rng.standard_normal((DRAWS, fan_in, width))
        weights *= math.sqrt(2.0 / (1.0 + slope**2) / fan_in)
        x, u = (np.einsum("di,dio->do", signal, weights) for signal in (x, u))
        factor = np.where(x > 0, 1.0, slope)
        x, u, fan_in = factor * x, factor * u, width
    return [np.mean(signal**2, axis=1) for signal in (x, u)]


def test_log_norms_have_the_mean_and_variance_of_the_exact_sums():
    found = relu_log_norm(WIDTHS)
    quantile = stats.norm.isf(CHANCE / 8)
    for logs in map(np.log, relative_norms(WIDTHS, 0.0, 3)):
        assert abs(logs.mean() - found.mean) < quantile * logs.std() / math.sqrt(DRAWS)
        squares = (logs - logs.mean()) ** 2
        assert abs(squares.mean() - found.variance) < quantile * squares.std() / math.sqrt(DRAWS)


@pytest.mark.parametrize(("slope", "excess"), [(0.0, 5.0), (0.3, None)])
def test_second_moments_have_the_ratio_of_the_product(slope, excess):
    widths = (40, 50)
    ratio = second_moment_ratio(widths, slope)
    if excess is not None:
        assert ratio == pytest.approx((1 + excess / 40) * (1 + excess / 50), rel=1e-15)
    for norms in relative_norms(widths, slope, 4):
        quantile = stats.norm.isf(CHANCE / 8)
        # norms are nearly log-normal, their squares with a skewness of 5: over DRAWS that makes the
        # tail of the mean, and the chance to fail, some four times the normal one
        assert abs(norms.mean() - 1.0) < quantile * norms.std() / math.sqrt(DRAWS)
        assert abs(np.mean(norms**2) - ratio) < quantile * (norms**2).std() / math.sqrt(DRAWS)


@pytest.mark.parametrize("width", [1, 2, 7, 100])
def test_log_norms_are_those_of_mpmath(width):
    with mpmath.workdps(30):
        total = 1 - mpmath.mpf(2) ** -width
        weights = {k: mpmath.binomial(width, k) / mpmath.mpf(2) ** width / total
                   for k in range(1, width + 1)}  # fmt: skip
        log = {k: mpmath.digamma(mpmath.mpf(k) / 2) + mpmath.log(mpmath.mpf(4) / width)
               for k in weights}  # fmt: skip
        mean = mpmath.fsum(weights[k] * log[k] for k in weights)
        square = mpmath.fsum(
            weights[k] * (log[k] ** 2 + mpmath.psi(1, mpmath.mpf(k) / 2)) for k in weights
        )
    found = relu_log_norm([width] * 3)
    assert found.mean == pytest.approx(3 * float(mean), rel=1e-10)
    assert found.variance == pytest.approx(3 * float(square - mean**2), rel=1e-10)


def test_the_leading_terms_are_the_limit_of_wide_layers():
    # Hanin & Nica 2018: 5L/n, 2.5 at L = 50 and n = 100, and a mean of −1.25
    assert relu_log_norm([100] * 50).leading_variance == pytest.approx(2.5, rel=1e-12)
    assert relu_log_norm([100] * 50).leading_mean == pytest.approx(-1.25, rel=1e-12)
    for width in (100, 10_000):
        found = relu_log_norm(width)
        # the next terms are some 4/n of the leading ones
        assert found.mean == pytest.approx(found.leading_mean, rel=10.0 / width)
        assert found.variance == pytest.approx(found.leading_variance, rel=10.0 / width)
    assert second_moment_ratio([100] * 50) == pytest.approx(1.05**50, rel=1e-12)
    assert second_moment_ratio([100] * 50, slope=1.0) == pytest.approx(1.02**50, rel=1e-12)


def dead(width, depth, features, count, seed):
    """Return in how many of some networks the last ReLU layer gives 0 for both of two inputs."""
    rng = np.random.default_rng(seed)
    # of one feature, x and −x stand for all inputs: a network without biases is linear along rays
    x = np.stack([np.ones((count, features)), -np.ones((count, features))], axis=1)
    fan_in = features
    for _ in range(depth - 1):
        weights = rng.standard_normal((count, fan_in, width))
        x, fan_in = np.maximum(np.einsum("dri,dio->dro", x, weights), 0.0), width
    gone = (x == 0.0).all(axis=2)
    return int(gone[:, 0].sum()), int(gone.all(axis=1).sum())


@pytest.mark.parametrize(("width", "depth"), [(2, 10), (3, 5), (2, 3), (4, 8)])
def test_dead_networks_are_as_many_as_predicted(width, depth):
    count = 20_000
    silent, born = dead(width, depth, 1, count, 7)
    chance = silent_probability([width] * (depth - 2))
    # the first layer of one feature is never silent for both signs, and for one with 2⁻ⁿ
    exact = 1.0 - (1.0 - chance) * (1.0 - 2.0**-width)
    assert exact == pytest.approx(silent_probability([width] * (depth - 1)), rel=1e-14)
    low, high = stats.binom.ppf([CHANCE / 4, 1 - CHANCE / 4], count, exact)
    assert low <= silent <= high
    lower, upper = born_dead_bounds(width, depth)
    assert stats.binom.ppf(CHANCE / 4, count, lower) <= born
    assert born <= stats.binom.ppf(1 - CHANCE / 4, count, upper)
    if depth == 3:  # two layers of ReLU: the bound is the probability
        assert born <= stats.binom.ppf(1 - CHANCE / 4, count, lower)


def test_bounds_that_have_been_published():
    # Lu et al. 2019, for a width of 2, 10 layers and one input: 0.870 to 0.925
    lower, upper = born_dead_bounds(2, 10)
    assert (round(lower, 3), round(upper, 3)) == (0.870, 0.925)
    assert silent_probability([2] * 9) == pytest.approx(upper, rel=1e-14)
    lower, upper = born_dead_bounds([[2], [50]], [2, 10, 100])
    assert lower.shape == upper.shape == (2, 3)
    assert np.all(lower <= upper + 1e-15)
    assert silent_probability(60) == pytest.approx(2.0**-60, rel=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relu_log_norm([10, 0]), r"widths must be in \[1, 100000\], not 0.0"),
        (lambda: relu_log_norm([10.5]), "widths must be whole numbers"),
        (lambda: second_moment_ratio([-1]), "widths must be finite and at least 1, not -1.0"),
        (lambda: second_moment_ratio([10], math.inf), "slope must be finite, not inf"),
        (lambda: silent_probability([0.5]), "widths must be finite and at least 1"),
        (lambda: silent_probability([2.5]), "widths must be whole numbers"),
        (lambda: born_dead_bounds(2, 1), "depth must be finite and at least 2"),
        (lambda: born_dead_bounds(True, 4), "width must be a real number"),
    ],
)
def test_what_is_no_network_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
