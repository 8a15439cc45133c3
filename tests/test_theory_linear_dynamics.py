"""Learning times of deep linear networks: published form, mpmath, and networks that are trained."""

import math

import mpmath
import numpy as np
import pytest

from initperf.theory import learning_time, mode_strength


@pytest.mark.parametrize("layers", [1, 2, 3, 10, 100])
@pytest.mark.parametrize(("initial", "final"), [(0.001, 0.9), (0.2, 0.999999), (1e-6, 0.01)])
def test_times_are_integrals_of_the_equation(layers, initial, final):
    s = 1.7
    with mpmath.workdps(25):
        power = 2 - mpmath.mpf(2) / layers
        # over the logit of u/s, the integrand has no end at which it grows
        ends = [mpmath.log(mpmath.mpf(x) / (1 - mpmath.mpf(x))) for x in (initial, final)]

        def integrand(logit):
            u = s / (1 + mpmath.exp(-logit))
            return u / s / u**power / layers

        expected = float(mpmath.quad(integrand, mpmath.linspace(*ends, 9)))
    found = learning_time(initial * s, final * s, s, layers=layers)
    assert found == pytest.approx(expected, rel=1e-12)
    assert mode_strength(found, initial * s, s, layers=layers) == pytest.approx(final * s, rel=1e-9)


def test_two_layers_are_a_logistic_curve():
    # Saxe et al. 2014, equations 7 and 8
    time = learning_time(0.01, 2.9, 3.0, time_constant=50.0)
    assert time == pytest.approx(50 / 6 * math.log(2.9 * 2.99 / (0.01 * 0.1)), rel=1e-14)
    t = np.array([0.0, 10.0, 30.0, 1e4])
    grown = 3.0 * np.exp(6 * np.minimum(t, 900) / 50)
    curve = grown / (np.exp(6 * np.minimum(t, 900) / 50) - 1 + 3.0 / 0.01)
    np.testing.assert_allclose(mode_strength(t, 0.01, 3.0, time_constant=50.0), curve, rtol=1e-12)
    assert learning_time(0.5, 0.5, 3.0) == 0.0


@pytest.mark.parametrize("layers", [2, 3, 4])
def test_a_deep_linear_network_learns_its_modes_in_the_time_predicted(layers):
    """By gradient descent on half the squared error of whitened inputs, from aligned weights."""
    strengths, initial, rate = np.array([3.0, 1.5]), 0.02, 2e-4
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((5, 5)))[0] for _ in range(2))
    start = np.zeros((5, 5))
    start[:2, :2] = np.eye(2) * initial ** (1.0 / layers)
    weights = [left @ start, *(start.copy() for _ in range(layers - 2)), start @ right]
    target = left[:, :2] * strengths @ right[:2]
    reached = np.full(2, np.nan)
    for step in range(1, 80_000):
        before = [np.eye(5)]
        for matrix in weights:
            before.append(before[-1] @ matrix)
        error, after, gradients = before[-1] - target, np.eye(5), []
        for matrix, ahead in zip(weights[::-1], before[-2::-1], strict=True):
            gradients.append(ahead.T @ error @ after.T)
            after = matrix @ after
        for matrix, gradient in zip(weights, gradients[::-1], strict=True):
            matrix -= rate * gradient
        modes = np.diag(left.T @ before[-1] @ right.T)[:2]
        reached = np.where(np.isnan(reached) & (modes >= 0.9 * strengths), step - 1, reached)
        if not np.isnan(reached).any():
            break
    predicted = learning_time(
        initial, 0.9 * strengths, strengths, layers=layers, time_constant=1.0 / rate
    )
    # Euler's method errs by the rate times the largest rate of growth, D s^(2 − 2/D), of each time
    allowed = rate * layers * strengths ** (2.0 - 2.0 / layers) + 1.0 / predicted
    np.testing.assert_allclose(reached / predicted, 1.0, atol=float(allowed.max()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learning_time(0.0, 0.5), "initial must be positive, not 0"),
        (lambda: learning_time(0.5, 0.1), "ordered initial <= final < strength, and are 0.5, 0.1"),
        (lambda: learning_time(0.1, 1.0), "ordered initial <= final < strength"),
        (lambda: learning_time(0.1, 0.5, layers=0), "layers must be a positive integer"),
        (lambda: learning_time(0.1, 0.5, time_constant=-1), "time_constant must be finite and at"),
        (lambda: mode_strength(-1.0, 0.1), "time must be finite and at least 0"),
        (lambda: mode_strength(1.0, [0.1, 2.0]), "ordered initial <= final < strength"),
    ],
)
def test_what_cannot_be_learned_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
