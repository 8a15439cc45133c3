"""Residual networks: growth and shattering of gradients against simulated networks."""

import math

import numpy as np
import pytest
from scipy import stats

from initperf.theory import (
    MeanField,
    ResidualField,
    arc_cosine,
    gradient_correlation,
    residual_growth,
)

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
WIDTH, BLOCKS, DRAWS = 200, 5, 30


def simulate(field, rng):
    """Return by block the second moments and correlations of two inputs, and a gradient's ratio."""
    inner = field.field
    x = rng.standard_normal((2, WIDTH))
    x[1] = 0.5 * x[0] + math.sqrt(0.75) * x[1]
    norms = np.sqrt(np.mean(x * x, axis=1))
    x /= norms[:, None]
    moments, correlations, factors = [], [], []
    for _ in range(BLOCKS):
        weights = rng.standard_normal((WIDTH, WIDTH)) * math.sqrt(inner.weight_variance / WIDTH)
        branch = inner.activation.value(x) @ weights
        branch += math.sqrt(inner.bias_variance) * rng.standard_normal(WIDTH)
        delta = rng.standard_normal(WIDTH)
        back = field.skip_scale * delta + field.branch_scale * (
            inner.activation.derivative(x[0]) * (weights @ delta)
        )
        factors.append(back @ back / (delta @ delta))
        x = field.skip_scale * x + field.branch_scale * branch
        moments.append(np.mean(x[0] ** 2))
        correlations.append(x[0] @ x[1] / math.sqrt((x[0] @ x[0]) * (x[1] @ x[1])))
    return moments, correlations, factors


@pytest.mark.parametrize(
    ("activation", "weight", "bias", "branch", "skip"),
    [("relu", 2.0, 0.0, 1.0, 1.0), ("tanh", 1.5, 0.2, 0.5, 0.9)],
)
def test_residual_networks_do_what_is_predicted(activation, weight, bias, branch, skip):
    field = ResidualField(MeanField(activation, weight, bias), branch, skip)
    rng = np.random.default_rng(2)
    found = np.array([simulate(field, rng) for _ in range(DRAWS)])
    # both inputs have the moment 1, and a correlation that varies by 1/√width about 1/2
    q, correlation = 1.0, 0.5
    for block in range(BLOCKS):
        expected_factor = field.chi(q)
        correlation, q = field.correlation_map(correlation, q), field.q_map(q)
        for values, predicted in zip(
            found[:, :, block].T, (q, correlation, expected_factor), strict=True
        ):
            error = stats.t.isf(CHANCE / 30, DRAWS - 1) * values.std(ddof=1) / math.sqrt(DRAWS)
            # beside the sampling error, what 1/width leaves out in each block passed
            assert abs(values.mean() - predicted) < error + predicted * (block + 1) / WIDTH


def test_growth_is_that_of_the_published_rules():
    # De & Smith 2020: plain blocks double the second moment, normalized ones add 1
    he = ResidualField(MeanField("relu", 2.0))
    q = 1.0
    for blocks in range(1, 8):
        q = he.q_map(q)
        assert q == pytest.approx(residual_growth(blocks), rel=1e-12)
        assert residual_growth(blocks, normalized=True) == blocks + 1
    assert residual_growth(50, 0.0) == 1.0
    assert residual_growth(10_000, 0.01) == pytest.approx(math.e, rel=1e-4)
    assert residual_growth([1, 2], [[1.0], [0.5]]).tolist() == [[2.0, 4.0], [1.25, 1.5625]]


def masked(depth, branch_scale, normalized, both, rng):
    """Return products of two inputs' gradients: own norms, and their inner product.

    Masks are drawn as the formula assumes: active with 1/2, both with p.
    """
    gradients = np.tile(rng.standard_normal(WIDTH), (2, 1))
    for layer in reversed(range(depth)):
        weights = rng.standard_normal((WIDTH, WIDTH)) * math.sqrt(2.0 / WIDTH)
        active = rng.random(WIDTH) < 0.5
        same = rng.random(WIDTH) < 2.0 * both
        masks = np.stack([active, active == same])
        branch = masks * (gradients @ weights)
        if branch_scale is None:
            gradients = branch
        else:
            scale = math.sqrt(1.0 + branch_scale**2 * layer) if normalized else 1.0
            gradients = gradients + branch_scale / scale * branch
    return np.array([gradients[0] @ gradients[0], gradients[0] @ gradients[1]]) / WIDTH


@pytest.mark.parametrize(
    ("depth", "branch_scale", "normalized", "both"),
    [(3, None, False, 0.25), (4, 1.0, False, 0.25), (6, 1.0, True, 0.25), (4, 0.7, False, 0.4)],
)
def test_gradients_shatter_as_predicted(depth, branch_scale, normalized, both):
    rng = np.random.default_rng(3)
    found = np.array([masked(depth, branch_scale, normalized, both, rng) for _ in range(2 * DRAWS)])
    correlation = gradient_correlation(
        depth, branch_scale=branch_scale, normalized=normalized, both_active=both
    )
    # the expectation of products is that of norms times the correlation, exactly
    values = found[:, 1] - correlation * found[:, 0]
    error = stats.t.isf(CHANCE / 8, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean()) < error
    assert error < 0.15 * found[:, 0].mean()


def test_shattering_is_that_of_the_published_rates():
    # Balduzzi et al. 2017: 2⁻ᴸ, (3/4)ᴸ and of the order of 1/√L
    assert gradient_correlation(50) == pytest.approx(2.0**-50, rel=1e-14)
    assert gradient_correlation(50, branch_scale=1.0) == pytest.approx(0.75**50, rel=1e-13)
    near, far = (
        gradient_correlation(depth, branch_scale=1.0, normalized=True) * math.sqrt(depth)
        for depth in (1000, 4000)
    )
    assert near == pytest.approx(2.0 / math.sqrt(math.pi), rel=1e-3)
    assert far == pytest.approx(near, rel=1e-3)
    assert gradient_correlation(3, both_active=arc_cosine(1.0, 0) / 2) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ResidualField(MeanField("relu", 2.0), math.inf), "branch_scale must be finite"),
        (lambda: residual_growth(-1), "blocks must be finite and at least 0"),
        (lambda: residual_growth(1.5), "blocks must be whole numbers"),
        (lambda: gradient_correlation(3, both_active=0.6), r"both_active must be in \[0, 0.5\]"),
        (lambda: gradient_correlation(3, normalized=True), "branch_scale must be given"),
        (lambda: gradient_correlation(-3), "depth must be an integer of at least 0"),
    ],
)
def test_what_is_no_residual_network_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_network_without_signal_has_no_correlation():
    silent = ResidualField(MeanField("tanh", 1.0))
    assert math.isnan(silent.correlation_map(0.5, 0.0))
    # a branch without weights is silent and leaves the correlation as it is
    assert ResidualField(MeanField("tanh", 0.0)).correlation_map(0.5, 1.0) == 0.5
    assert silent.correlation_map([0.5, 1.0], 1.0)[1] == pytest.approx(1.0, abs=1e-12)
