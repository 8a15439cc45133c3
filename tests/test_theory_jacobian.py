"""Spectra of Jacobians against closed forms, another integration and random networks."""

import math

import numpy as np
import pytest
from scipy import stats

from initperf.activations import ACTIVATIONS
from initperf.theory import JacobianSpectrum, MeanField

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
TRACY_WIDOM = -1.2065335745820  # mean of the distribution for real matrices


@pytest.mark.parametrize("depth", [1, 2, 10, 100])
def test_linear_networks_have_closed_forms(depth):
    normal = JacobianSpectrum(MeanField("linear", 1.0))
    assert normal.mean(depth) == pytest.approx(1.0, rel=1e-12)
    assert normal.variance(depth) == pytest.approx(depth, rel=1e-10)  # Fuss-Catalan: m₂ = L + 1
    edge = (depth + 1.0) * (1.0 + 1.0 / depth) ** depth
    assert normal.largest(depth) == pytest.approx(edge, rel=1e-9)
    orthogonal = JacobianSpectrum(MeanField("linear", 1.0), orthogonal=True)
    assert orthogonal.variance(depth) == pytest.approx(0.0, abs=1e-10)
    assert orthogonal.largest(depth) == pytest.approx(1.0, rel=1e-9)


STEEP = np.linspace(-7.0, 5.0, 241)


def transform(activation, q):
    """Return E[x f'²/(1 − x f'²)] for x of logits STEEP, times the largest squared slope; and x.

    By midpoints: of a smooth slope the error shrinks exponentially, at a kink as the square.
    """
    z = (np.arange(-3000, 3000) + 0.5) * 4e-3
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) * 4e-3
    slopes = ACTIVATIONS[activation].derivative(math.sqrt(q) * z)
    top = ACTIVATIONS[activation].steepest ** 2
    x = 1.0 / (1.0 + np.exp(-STEEP)) / top
    return np.array([density @ (a * slopes**2 / (1.0 - a * slopes**2)) for a in x]), x


def edge(psi, x, field, depth, orthogonal):
    """Return the least λ, and the second derivative of λ by ψ there."""
    layer = field.weight_variance * psi / x / (1.0 + psi if orthogonal else 1.0)
    edges = (1.0 + psi) / psi * layer**depth
    i = int(np.argmin(edges))
    near = slice(i - 14, i + 15)
    curve, steps = (
        np.polynomial.Polynomial.fit(STEEP[near], values[near], 12) for values in (edges, psi)
    )
    roots = curve.deriv().roots()
    least = float(min(roots, key=lambda root: abs(root - STEEP[i])).real)
    return curve(least), curve.deriv(2)(least) / steps.deriv()(least) ** 2


@pytest.mark.parametrize("orthogonal", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh", "silu", "elu"])
def test_the_edge_is_that_of_another_integration(activation, orthogonal):
    field, q = MeanField(activation, 1.7, 0.1), 1.4
    psi, x = transform(activation, q)
    for depth in (3, 12):
        expected = edge(psi, x, field, depth, orthogonal)[0]
        found = JacobianSpectrum(field, q, orthogonal).largest(depth)
        # at a kink, h²/24 = 7e-7 times the jump of the integrand's derivative, which is
        # 2√q x/(1 − x)² φ(0), about 5 where λ is least, in each layer; elsewhere exponentially less
        rel = 3.5e-6 * depth if activation == "elu" else 1e-9
        assert found == pytest.approx(expected, rel=rel)


def relu_edge(depth, orthogonal):
    z = np.geomspace(1e-4, 1e3, 400_001)
    layer = (1.0 + 2.0 * z) / (1.0 + z if orthogonal else 1.0)
    return float(((1.0 + z) / z * layer**depth).min())


@pytest.mark.parametrize("orthogonal", [False, True])
@pytest.mark.parametrize("depth", [3, 20])
def test_relu_has_the_transform_of_a_coin(depth, orthogonal):
    # a squared slope is 0 or 1, of which S = 2(1 + z)/(1 + 2z); the grid errs by 1e-9
    spectrum = JacobianSpectrum(MeanField("relu", 2.0), orthogonal=orthogonal)
    assert spectrum.largest(depth) == pytest.approx(relu_edge(depth, orthogonal), rel=2e-9)
    assert spectrum.variance(depth) == pytest.approx(depth * (1 if orthogonal else 2), rel=1e-11)


WIDTH, DEPTH, DRAWS = 100, 3, 12


def jacobian(field, orthogonal, q, rng):
    """Return the singular values, squared, of a random network whose inputs are at q."""
    z, product = math.sqrt(q) * rng.standard_normal(WIDTH), np.eye(WIDTH)
    for _ in range(DEPTH):
        weights = rng.standard_normal((WIDTH, WIDTH)) / math.sqrt(WIDTH)
        if orthogonal:
            weights, upper = np.linalg.qr(weights)
            weights = weights * np.sign(np.diag(upper))
        weights = weights * math.sqrt(field.weight_variance)
        product = (product * field.activation.derivative(z)) @ weights
        z = field.activation.value(z) @ weights
        z = z + math.sqrt(field.bias_variance) * rng.standard_normal(WIDTH)
    return np.linalg.svd(product, compute_uv=False) ** 2


@pytest.mark.exhaustive(keep=2)
@pytest.mark.parametrize(
    ("activation", "orthogonal"),
    [("linear", False), ("tanh", False), ("tanh", True), ("relu", False), ("relu", True)],
)
def test_random_networks_have_the_spectrum_predicted(activation, orthogonal):
    field = MeanField(activation, {"linear": 1.0, "tanh": 1.6, "relu": 2.0}[activation],
                      0.1 if activation == "tanh" else 0.0)  # fmt: skip
    q = field.fixed_point()
    rng = np.random.default_rng(11)
    spectra = np.array([jacobian(field, orthogonal, q, rng) for _ in range(DRAWS)])
    predicted = JacobianSpectrum(field, orthogonal=orthogonal)
    found = [spectra.mean(axis=1), spectra.var(axis=1), spectra.max(axis=1)]
    edges = predicted.largest(DEPTH)
    # the density ends as a root, √(2(λ₊ − λ)/λ'')/(π λ₊), and the largest of n values lies
    # γ n^(−2/3) times a number of Tracy and Widom's distribution beside it
    curvature = edge(*transform(activation, q), field, DEPTH, orthogonal)[1]
    shift = TRACY_WIDOM * (edges**2 * curvature / 2.0) ** (1 / 3) * WIDTH ** (-2 / 3)
    expected = [predicted.mean(DEPTH), predicted.variance(DEPTH), edges + shift]
    for values, wanted in zip(found, expected, strict=True):
        error = stats.t.isf(CHANCE / 6, DRAWS - 1) * values.std(ddof=1) / math.sqrt(DRAWS)
        # beside the sampling error, terms of the next order: 1/width in each layer and, of the
        # edge, the square of the shift
        rest = edges * DEPTH / WIDTH + shift**2 / edges
        assert abs(values.mean() - wanted) < error + rest


def test_depths_and_moments_are_broadcast():
    spectrum = JacobianSpectrum(MeanField("tanh", 1.5), q=[[0.5], [1.0]])
    for method in ("mean", "variance", "largest"):
        found = getattr(spectrum, method)([1, 4, 9])
        assert found.shape == (2, 3)
        alone = getattr(JacobianSpectrum(MeanField("tanh", 1.5), q=1.0), method)(4)
        assert isinstance(alone, float)
        assert alone == found[1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: JacobianSpectrum(MeanField("tanh", 0.0)), "weight_variance must be a positive"),
        (lambda: JacobianSpectrum(MeanField("tanh", [1.0])), "weight_variance must be a positive"),
        (lambda: JacobianSpectrum(MeanField("relu", 3.0)), "grows without bound"),
        (lambda: JacobianSpectrum(MeanField("relu", 2.0)).mean(0), "depth must be finite and at"),
        (lambda: JacobianSpectrum(MeanField("relu", 2.0)).largest(1.5), "depth must be whole"),
    ],
)
def test_what_has_no_spectrum_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
