"""Theory's quadrature: where activations have kinks, and expectations to the accuracy stated."""

import math

import mpmath
import numpy as np
import pytest
from exact_activations import ERF, EXACT, record

from initperf.activations import ACTIVATIONS
from initperf.theory import MeanField, activation_variance, arc_cosine
from initperf.theory import closed_forms as closed
from initperf.theory._moments import moments, slopes
from initperf.theory._partition import partition
from initperf.theory._quadrature import product_means

STATED = 1e-12
KINKED = ("relu", "leaky_relu", "elu", "selu")
SCALE, ALPHA = 1.0507009873554804934, 1.6732632423543772848
CORRELATIONS = [-1.0, -0.9, -0.2, 0.0, 0.4, 0.95, 0.9999, 1.0]


HARD = record("hard_tanh", lambda x: (np.clip(x, -1.0, 1 / 3), 1.0 * ((x > -1.0) & (x < 1 / 3))))


def in_mpmath(name):
    """Return value and slope of an activation as functions of mpmath numbers."""
    mp = mpmath
    bend = mp.mpf("0.79788456080286535588"), mp.mpf("0.044715")

    def gelu(x):
        return x * (1 + mp.tanh(bend[0] * (x + bend[1] * x**3))) / 2

    def gelu_slope(x):
        t = mp.tanh(bend[0] * (x + bend[1] * x**3))
        return (1 + t) / 2 + x * (1 - t * t) * bend[0] * (1 + 3 * bend[1] * x * x) / 2

    def gate(x):
        return 1 / (1 + mp.exp(-x))

    return {
        "linear": (lambda x: x, lambda x: mp.mpf(1)),
        "relu": (lambda x: max(x, 0), lambda x: mp.mpf(x > 0)),
        "leaky_relu": (lambda x: x if x > 0 else x * mp.mpf("0.01"),
                       lambda x: mp.mpf(1) if x > 0 else mp.mpf("0.01")),
        "tanh": (mp.tanh, lambda x: mp.sech(x) ** 2),
        "sigmoid": (gate, lambda x: gate(x) * gate(-x)),
        "elu": (lambda x: x if x > 0 else mp.expm1(x), lambda x: mp.exp(min(x, 0))),
        "selu": (lambda x: SCALE * (x if x > 0 else ALPHA * mp.expm1(x)),
                 lambda x: SCALE * (1 if x > 0 else ALPHA * mp.exp(x))),
        "silu": (lambda x: x * gate(x), lambda x: gate(x) * (1 + x * gate(-x))),
        "gelu": (gelu, gelu_slope),
        "gelu_erf": (lambda x: x * mp.ncdf(x), lambda x: mp.ncdf(x) + x * mp.npdf(x)),
        "softplus": (lambda x: mp.log1p(mp.exp(x)), gate),
        "sin": (mp.sin, mp.cos),
    }[name]  # fmt: skip


def expectation(function, q):
    """Return E[g(√q z)] by tanh-sinh quadrature with 20 digits."""
    with mpmath.workdps(20):
        root = mpmath.sqrt(mpmath.mpf(q))
        inner = [k / root for k in (-8, -2, 0, 2, 8) if abs(k / root) < 12]
        ends = sorted({*inner, *map(mpmath.mpf, (-14, -6, 6, 14))})
        return float(mpmath.quad(lambda z: function(root * z) * mpmath.npdf(z), ends))


@pytest.mark.exhaustive(keep=3)
@pytest.mark.parametrize("q", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_moments_are_those_of_mpmath(name, q):
    value, slope = in_mpmath(name)
    found = moments(ACTIVATIONS[name], q)
    square = expectation(lambda x: value(x) ** 2, q)
    assert found.square == pytest.approx(square, rel=STATED)
    assert found.slope_square == pytest.approx(expectation(lambda x: slope(x) ** 2, q), rel=STATED)
    # terms of both signs cancel in the mean, and so do the digits of the larger one in its square
    mean = expectation(value, q)
    assert found.mean == pytest.approx(mean, abs=STATED * math.sqrt(square))
    assert activation_variance(name, q) == pytest.approx(square - mean**2, abs=STATED * square)
    growth = expectation(lambda x: value(x) * slope(x) * x, q) / q
    assert found.growth == pytest.approx(growth, rel=STATED, abs=1e-15 / math.sqrt(q))


@pytest.mark.parametrize("q", [1e-6, 1.0, 3.0])
@pytest.mark.parametrize("correlation", [*CORRELATIONS, 1.0 - 1e-8])
def test_products_of_relu_and_its_slope_are_arc_cosines(correlation, q):
    """By the quadrature, which `products` does not use for ReLU."""
    angle = mpmath.acos(mpmath.mpf(correlation))
    product = (mpmath.sin(angle) + (mpmath.pi - angle) * correlation) / mpmath.pi / 2
    slope = (mpmath.pi - angle) / mpmath.pi / 2
    found = product_means(ACTIVATIONS["relu"], q, 2.0 * q, correlation)
    assert found[0] == pytest.approx(float(product) * q * math.sqrt(2.0), abs=STATED * q)
    # the slope is infinite at ±1, where √(1 − c²) is taken to be 0 below 1e-9
    assert found[1] == pytest.approx(float(slope), abs=STATED)
    exact = closed.two_slopes_products((0.0, 1.0), q, 2.0 * q, correlation)
    assert exact == pytest.approx(found, abs=STATED * max(q, 1.0))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_arc_cosine_is_the_formula_of_cho_and_saul(order, correlation):
    with mpmath.workdps(30):
        angle = mpmath.acos(mpmath.mpf(correlation))
        sine, cosine, rest = mpmath.sin(angle), mpmath.cos(angle), mpmath.pi - angle
        j = [rest, sine + rest * cosine, 3 * sine * cosine + rest * (1 + 2 * cosine**2)][order]
        expected = float(j / mpmath.pi)
    # four roundings of numbers up to 1, or 3 for order 2
    assert arc_cosine(correlation, order) == pytest.approx(
        expected, abs=(4e-16, 4e-16, 2e-15)[order]
    )


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_arc_cosine_of_order_two_is_an_expectation(correlation):
    square = record("relu²", lambda x: (np.maximum(x, 0.0) ** 2, 2.0 * np.maximum(x, 0.0)))
    expected = 2.0 * product_means(square, 1.0, 1.0, correlation)[0]
    # of E[f²] = 3/2
    assert arc_cosine(correlation, 2) == pytest.approx(expected, abs=3.0 * STATED)


@pytest.mark.parametrize("q", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_products_of_erf_are_arcsines(correlation, q):
    found = product_means(ERF, q, 0.3, correlation)
    assert closed.erf_product(q, 0.3, correlation) == pytest.approx(found[0], abs=STATED)
    assert closed.erf_slope_product(q, 0.3, correlation) == pytest.approx(found[1], rel=STATED)


def trapezoid(function, q, correlation):
    """Return E[g(u) g(v)] of an analytic g: the error shrinks as exp(−2π d/h).

    d, the distance of the poles of g(√q z) from the real axis, is at least π/2/√q: with h = 1/8 and
    q up to 4 that is below 1e-16.
    """
    z = np.arange(-96, 97) / 8.0
    weights = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) / 8.0
    other = correlation * z[:, None] + math.sqrt(1.0 - correlation**2) * z
    root = math.sqrt(q)
    return float((weights * function(root * z)) @ (function(root * other) @ weights))


@pytest.mark.parametrize("correlation", [-0.7, 0.3, 0.99, 1.0])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in KINKED])
def test_products_of_smooth_activations_are_right(name, correlation):
    slope = ACTIVATIONS[name].derivative
    for q in (0.25, 4.0):
        found = product_means(ACTIVATIONS[name], q, q, correlation)
        for mean, function in zip(found, (EXACT[name], slope), strict=True):
            assert mean == pytest.approx(
                trapezoid(function, q, correlation), abs=STATED * trapezoid(function, q, 1.0)
            )


@pytest.mark.parametrize("q", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_products_of_sines_are_hyperbolic(correlation, q):
    """E[sin u sin v] = e^(−(q₁+q₂)/2) sinh(√(q₁q₂) c), and of cosines with cosh."""
    sines, cosines = product_means(ACTIVATIONS["sin"], q, 0.3, correlation)
    inner = math.sqrt(q * 0.3) * correlation
    damped = math.exp(-0.5 * (q + 0.3))
    assert sines == pytest.approx(damped * math.sinh(inner), abs=STATED)
    assert cosines == pytest.approx(damped * math.cosh(inner), abs=STATED)


def selu_given(m, s, alpha):
    """Return E[f(x)] and E[f'(x)] of λ = 1, x normal of mean m and standard deviation s."""
    mp = mpmath
    exponential = alpha * mp.exp(m + s * s / 2) * mp.ncdf(-(m + s * s) / s)
    positive = m * mp.ncdf(m / s) + s * mp.npdf(m / s)
    return positive + exponential - alpha * mp.ncdf(-m / s), mp.ncdf(m / s) + exponential


@pytest.mark.exhaustive(keep=8)
@pytest.mark.parametrize("correlation", [-0.5, 0.98])
@pytest.mark.parametrize(("name", "scale", "alpha"), [("elu", 1, 1), ("selu", SCALE, ALPHA)])
def test_products_of_kinked_activations_are_those_of_mpmath(name, scale, alpha, correlation):
    q = 1.7
    value, slope = in_mpmath(name)
    found = product_means(ACTIVATIONS[name], q, q, correlation)
    with mpmath.workdps(20):
        root, c = mpmath.sqrt(mpmath.mpf(q)), mpmath.mpf(correlation)
        rest = root * mpmath.sqrt(1 - c * c)
        for part, function in enumerate((value, slope)):
            expected = mpmath.quad(
                lambda z, part=part, function=function: (
                    function(root * z)
                    * mpmath.npdf(z)
                    * selu_given(root * c * z, rest, alpha)[part]
                ),
                [-12, -4, -1, 0, 1, 4, 12],
            )
            moment = expectation(lambda x, function=function: function(x) ** 2, q)
            assert found[part] == pytest.approx(float(expected) * scale, abs=STATED * moment)


def test_a_kink_anywhere_is_found_to_rounding():
    found = partition(HARD, 16.0).kinks
    np.testing.assert_allclose(found, [-1.0, 1 / 3], rtol=0, atol=4 * np.finfo(float).eps)
    for name in ACTIVATIONS:
        assert partition(ACTIVATIONS[name], 64.0).kinks.tolist() == [0.0] * (name in KINKED)


@pytest.mark.parametrize("correlation", [-0.5, 0.5, 0.99])
def test_kinks_anywhere_leave_no_error(correlation):
    """The slope of a hard tanh is a window: its products are chances of two normal variables."""
    q = 1.3
    ends = np.array([-1.0, 1 / 3]) / math.sqrt(q)

    def chance(x, y):  # by Plackett's integral of the density over the correlation
        with mpmath.workdps(20):
            density = mpmath.quad(
                lambda r: (
                    mpmath.exp(-(x * x - 2 * r * x * y + y * y) / (2 * (1 - r * r)))
                    / (2 * mpmath.pi * mpmath.sqrt(1 - r * r))
                ),
                [0, correlation / 2, correlation],
            )
            return mpmath.ncdf(x) * mpmath.ncdf(y) + density

    expected = sum(
        (1 if i == j else -1) * chance(*map(mpmath.mpf, (ends[i], ends[j])))
        for i in (0, 1) for j in (0, 1)
    )  # fmt: skip
    assert product_means(HARD, q, q, correlation)[1] == pytest.approx(float(expected), abs=STATED)


def test_waves_are_followed_and_noise_is_refused():
    wave = record("sin", lambda x: (np.sin(30.0 * x), 30.0 * np.cos(30.0 * x)))
    # E[sin²(a z)] = (1 − e^(−2a²))/2
    assert moments(wave, 0.04).square == pytest.approx((1 - math.exp(-72.0)) / 2, rel=STATED)
    assert moments(wave, 1e-3).square == pytest.approx(-math.expm1(-1.8) / 2, rel=STATED)
    noise = record("noise", lambda x: (np.sin(1e6 * x), np.cos(1e6 * x)))
    with pytest.raises(ValueError, match="noise is not smooth enough"):
        MeanField(noise, 1.0).q_map(1.0)


def test_which_activations_have_two_slopes():
    found = {name: slopes(ACTIVATIONS[name]) for name in ACTIVATIONS}
    assert {name for name in found if found[name]} == {"linear", "relu", "leaky_relu"}
    assert found["leaky_relu"] == (0.01, 1.0)
    assert slopes(HARD) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: arc_cosine(1.5), r"correlation must be in \[-1, 1\], not 1.5"),
        (lambda: arc_cosine(0.5, 3), "order must be 0, 1 or 2, not 3"),
        (lambda: arc_cosine(0.5, -1), "order must be an integer of at least 0"),
        (lambda: closed.erf_product(-1.0, 1.0, 0.0), "a second moment must be finite"),
        (lambda: closed.erf_slope_product(1.0, math.nan, 0.0), "a second moment must be finite"),
        (lambda: arc_cosine("a"), "correlation must be a real number"),
        (lambda: activation_variance("tanh", [1.0, -2.0]), "at least 0, not -2.0"),
    ],
)
def test_what_is_outside_of_the_domain_is_refused(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
