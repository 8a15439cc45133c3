"""Mean-field predictions against closed forms, published values and simulated networks."""

import math

import numpy as np
import pytest
from scipy import special, stats

from initperf.activations import ACTIVATIONS, Activation
from initperf.schemes import signals
from initperf.theory import MeanField, activation_variance, arc_cosine, critical, critical_line
from initperf.training.network import Mlp

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
ERF = Activation(
    name="erf",
    formula="erf(x)",
    cite="a test",
    value_and_slope=lambda x: (special.erf(x), 2.0 / math.sqrt(math.pi) * np.exp(-x * x)),
)
MOMENTS = [0.01, 0.3, 1.0, 7.0]


@pytest.mark.parametrize("q", MOMENTS)
def test_erf_has_closed_forms(q):
    # Williams 1998: E[erf²] is an arcsine; E[erf'²] a normal integral of a Gaussian
    field = MeanField(ERF, 1.5, 0.2)
    assert field.q_map(q) == pytest.approx(
        1.5 * 2.0 / math.pi * math.asin(2.0 * q / (1.0 + 2.0 * q)) + 0.2, rel=1e-13
    )
    assert field.chi(q) == pytest.approx(1.5 * 4.0 / math.pi / math.sqrt(1.0 + 4.0 * q), rel=1e-13)
    for correlation in (-1.0, -0.4, 0.0, 0.7, 1.0):
        product = 2.0 / math.pi * math.asin(2.0 * correlation * q / (1.0 + 2.0 * q))
        assert field.correlation_map(correlation, q) == pytest.approx(
            (1.5 * product + 0.2) / field.q_map(q), rel=1e-12, abs=1e-13
        )


@pytest.mark.parametrize("q", MOMENTS)
def test_relu_halves_the_second_moment(q):
    field = MeanField("relu", 2.0)
    assert field.q_map(q) == pytest.approx(q, rel=1e-12)
    assert field.chi(q) == pytest.approx(1.0, rel=1e-12)
    assert field.q_slope(q) == pytest.approx(1.0, rel=1e-12)
    assert activation_variance("relu", q) == pytest.approx(q * (0.5 - 0.5 / math.pi), rel=1e-12)


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.0, 0.5, 0.9, 1.0])
def test_relu_correlates_as_the_arc_cosine_kernel_does(correlation):
    # Cho & Saul 2009, of order 1 and, its slope, of order 0
    field = MeanField("relu", 2.0)
    assert field.correlation_map(correlation, 3.0) == pytest.approx(
        arc_cosine(correlation, 1), abs=1e-15
    )
    assert field.correlation_slope(correlation, 3.0) == pytest.approx(
        arc_cosine(correlation, 0), abs=1e-15
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_of_the_correlation_map_is_the_limit_of_differences(activation):
    field, step = MeanField(activation, 1.3, 0.1), 1e-4
    for correlation in (-0.6, 0.0, 0.9):
        ends = [field.correlation_map(correlation + x, 0.8) for x in (-step, step)]
        assert field.correlation_slope(correlation, 0.8) == pytest.approx(
            (ends[1] - ends[0]) / (2.0 * step), abs=10.0 * step**2 / (1.0 - correlation**2) ** 1.5
        )


@pytest.mark.parametrize(
    ("activation", "weight_variance", "bias_variance"),
    [("tanh", 2.5, 0.05), ("tanh", 1.8, 0.05), ("tanh", 3.0, 0.0), (ERF, 2.0, 0.1)],
)
def test_the_chaotic_phase_decorrelates_to_a_fixed_point(
    activation, weight_variance, bias_variance
):
    """Beside iterating the map: Poole et al. 2016 find c* below 1 where χ₁ is above 1."""
    field = MeanField(activation, weight_variance, bias_variance)
    q = field.fixed_point()
    assert field.chi(q) > 1.0
    fixed = field.fixed_correlation()
    scale = field.depth_scales()[1]
    assert 0.0 <= fixed < 1.0
    assert scale > 0.0
    # a map that is convex and, at c*, less steep than the diagonal, comes closer in every layer
    deviations = np.abs(field.correlations(0.9, 40, q) - fixed)
    assert np.all(np.diff(deviations) < 0.0)
    assert deviations[-1] > 0.0
    # stated: 1e-12/(χ₁ − 1), and χ₁ − 1 is above 0.004 here
    assert field.correlation_map(fixed, q) == pytest.approx(fixed, abs=1e-12)
    near = field.correlations(fixed + 1e-5, 2, q) - fixed
    assert near[1] / near[0] == pytest.approx(math.exp(-1.0 / scale), abs=1e-4)


def test_the_ordered_phase_and_the_critical_line_correlate_to_one():
    for field in (MeanField("tanh", 1.0, 0.1), MeanField("relu", 2.0), MeanField("tanh", 0.9)):
        assert field.fixed_correlation() == 1.0
    point = critical("tanh", 0.05)
    field = MeanField("tanh", point.weight_variance, 0.05)
    assert field.fixed_correlation(point.q) == 1.0
    assert math.isinf(field.depth_scales(point.q)[1])


def test_relu_correlations_approach_one_as_the_square_of_depth():
    # Hanin & Nica's companion results, 1902.06853: l² (1 − c) → 9π²/2; the next term of the
    # recursion 1 − c ← (1 − c) − (2√2/3π)(1 − c)^(3/2) makes the approach a relative log(l)/l
    depth = 4000
    last = MeanField("relu", 2.0).correlations(0.0, depth)[-1]
    assert depth**2 * (1.0 - last) == pytest.approx(
        4.5 * math.pi**2, rel=4.0 * math.log(depth) / depth
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_of_the_map_is_the_limit_of_differences(activation):
    field, step = MeanField(activation, 1.3, 0.1), 1e-4
    difference = (field.q_map(0.8 + step) - field.q_map(0.8 - step)) / (2.0 * step)
    assert field.q_slope(0.8) == pytest.approx(difference, abs=10.0 * step**2)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_of_the_map_at_nothing_is_its_limit(activation):
    """Where a kink lies at 0, the difference from the limit is of the order of the root of q."""
    field, q = MeanField(activation, 1.3, 0.1), 1e-8
    assert field.q_slope(0.0) == pytest.approx(field.q_slope(q), abs=10.0 * q**0.5)


@pytest.mark.parametrize(
    ("activation", "bias_variance", "weight_variance", "q", "tolerance"),
    [
        ("relu", None, 2.0, 1.0, 1e-12),  # He et al. 2015
        ("leaky_relu", None, 2.0 / (1.0 + 0.01**2), 1.0, 1e-12),
        ("linear", None, 1.0, 1.0, 1e-12),
        ("tanh", None, 1.0, 0.0, 1e-12),
        ("tanh", 0.05, 1.76, 0.57, 0.01),  # Schoenholz et al. 2017, in two digits
        # Roberts, Yaida & Hanin, section 5.3.4, with weights' and biases' variances of SWISH
        ("silu", None, 1.98800468, 14.32017362, 1e-8),
    ],
)
def test_critical_points_that_have_been_published(
    activation, bias_variance, weight_variance, q, tolerance
):
    point = critical(activation, bias_variance)
    assert point.weight_variance == pytest.approx(weight_variance, rel=tolerance)
    assert point.q == pytest.approx(q, rel=tolerance, abs=1e-12)
    if activation == "silu":
        assert point.bias_variance == pytest.approx(0.55514317, rel=1e-7)


def test_erf_is_critical_where_its_closed_forms_say():
    for bias_variance in (0.01, 0.1, 1.0):
        point = critical(ERF, bias_variance)
        q = point.q
        assert point.weight_variance == pytest.approx(
            math.pi / 4.0 * math.sqrt(1.0 + 4.0 * q), rel=1e-9
        )
        square = 2.0 / math.pi * math.asin(2.0 * q / (1.0 + 2.0 * q))
        assert q == pytest.approx(point.weight_variance * square + bias_variance, rel=1e-9)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "softplus"])
def test_the_critical_point_is_a_fixed_point_with_chi_one(activation):
    point = critical(activation)
    field = MeanField(activation, point.weight_variance, point.bias_variance)
    assert field.chi(point.q) == pytest.approx(1.0, rel=1e-9)
    assert field.q_map(point.q) == pytest.approx(point.q, rel=1e-9, abs=1e-12)
    assert math.isinf(field.depth_scales(point.q)[1])


@pytest.mark.parametrize(
    ("activation", "bias_variance", "message"),
    [
        ("relu", 0.1, "no critical weights with bias_variance 0.1.*; 0 would be right"),
        ("gelu", 0.1, "; 0.172895 would be right"),
        ("softplus", None, "softplus has no critical weights: nowhere does .* = 1$"),
        ("tanh", -1.0, "bias_variance must be finite and at least 0"),
        ("tanh", math.nan, "bias_variance must be finite and at least 0"),
        ("tahn", None, "did you mean 'tanh'"),
    ],
)
def test_where_there_is_no_critical_point_the_error_says_what_would_be_right(
    activation, bias_variance, message
):
    with pytest.raises(ValueError, match=message):
        critical(activation, bias_variance)


@pytest.mark.parametrize(
    ("activation", "weight_variance", "bias_variance"),
    [("gelu_erf", 1.98305826, 0.17292239), ("silu", 1.98800468, 0.55514317)],
)
def test_critical_weights_are_those_of_the_book(activation, weight_variance, bias_variance):
    """Roberts, Yaida & Hanin, section 5.3.4, to the eight digits printed; its GELU is the exact."""
    point = critical(activation)
    assert point.weight_variance == pytest.approx(weight_variance, abs=5e-9)
    assert point.bias_variance == pytest.approx(bias_variance, abs=5e-9)


@pytest.mark.parametrize("q", [1e6, 1e8])
def test_chi_holds_where_tanh_is_a_step(q):
    """E[sech⁴(√q z)] = ∫ sech⁴ / √(2πq) · (1 + O(1/q)), and the integral of sech⁴ is 4/3."""
    expected = 4 / 3 / math.sqrt(2 * math.pi * q)
    assert MeanField("tanh", 1.0).chi(q) == pytest.approx(expected, rel=1 / q)


def test_the_correlation_of_nothing_is_not_a_number():
    assert math.isnan(MeanField("tanh", 1.0).correlation_map(0.5, 0.0))
    assert math.isnan(MeanField("tanh", 0.0).correlation_map(0.5, 1.0))
    assert MeanField("tanh", 0.0, 0.1).correlation_map(0.5, 1.0) == 1.0


def test_a_network_off_its_critical_point_loses_gradients():
    """As the docstring of `CriticalScheme` says of ELU, of 29 layers from q = 1."""
    point = critical("elu")
    assert point.q == 0.0
    growth = MeanField("elu", point.weight_variance).gradient_growth(1.0, 30)[0]
    assert growth == pytest.approx(0.01, rel=0.05)


def test_fixed_points():
    # Klambauer et al. 2017: SELU keeps variance 1, from whichever side it comes
    assert MeanField("selu", 1.0).fixed_point(0.3) == pytest.approx(1.0, rel=1e-9)
    assert MeanField("selu", 1.0).fixed_point(5.0) == pytest.approx(1.0, rel=1e-9)
    assert MeanField("tanh", 0.9).fixed_point() == 0.0
    assert MeanField("relu", 2.0).fixed_point(3.0) == 3.0
    field = MeanField("tanh", 2.5, 0.3)
    q = 1.0
    for _ in range(200):
        q = field.q_map(q)
    assert field.fixed_point() == pytest.approx(q, rel=1e-12)
    with pytest.raises(ValueError, match="grows without bound"):
        MeanField("relu", 2.1).fixed_point()


def test_deviations_shrink_over_the_depth_scales():
    field = MeanField("tanh", 1.4, 0.2)
    q = field.fixed_point()
    of_q, of_correlation = field.depth_scales()
    away, correlation = 1e-4 * q, 1.0 - 1e-4
    for _ in range(5):
        following = field.q_map(q + away) - q
        assert following / away == pytest.approx(math.exp(-1.0 / of_q), rel=1e-3)
        away = following
        after = field.correlation_map(correlation, q)
        assert (1 - after) / (1 - correlation) == pytest.approx(
            math.exp(-1.0 / of_correlation), rel=1e-3
        )
        correlation = after


def test_critical_lines_hold_their_points():
    q = np.array([0.0, 0.1, 0.57, 3.0])
    weights, biases = critical_line("tanh", q)
    field = MeanField("tanh", weights, biases)
    np.testing.assert_allclose(field.chi(q), 1.0, rtol=1e-12)
    np.testing.assert_allclose(field.q_map(q), q, rtol=1e-12, atol=1e-12)
    point = critical("tanh", float(biases[3]))
    assert point.q == pytest.approx(3.0, rel=1e-9)
    assert critical_line("relu", 5.0) == (pytest.approx(2.0, rel=1e-12), 0.0)
    # softplus would need biases of negative variance
    assert np.isnan(critical_line("softplus", 1.0)).all()


def test_arrays_are_broadcast_and_give_what_numbers_give():
    weights, q = np.array([[0.8], [1.7], [2.5]]), np.array([0.3, 1.0])
    field = MeanField("tanh", weights, 0.05)
    for method in ("q_map", "q_slope", "chi", "fixed_point", "fixed_correlation"):
        found = getattr(field, method)(q)
        assert found.shape == (3, 2)
        assert isinstance(getattr(MeanField("tanh", 1.7, 0.05), method)(0.3), float)
        assert found[1, 0] == getattr(MeanField("tanh", 1.7, 0.05), method)(0.3)
    found = field.correlation_map([0.2, 0.4], q)
    assert found[2, 1] == MeanField("tanh", 2.5, 0.05).correlation_map(0.4, 1.0)
    assert field.second_moments(q, 3).shape == (3, 3, 2)
    assert field.correlations(0.1, 2, q).shape == (2, 3, 2)
    assert [scale.shape for scale in field.depth_scales()] == [(3, 1), (3, 1)]
    with pytest.raises(ValueError, match="arguments must broadcast"):
        field.q_map(np.ones((2, 5)))


def test_gradients_grow_by_chi_of_each_layer():
    field = MeanField("tanh", 2.0, 0.1)
    q = field.second_moments(0.2, 4)
    growth = field.gradient_growth(0.2, 4)
    assert growth[3] == 1.0
    assert growth[0] == pytest.approx(field.chi(q[0]) * field.chi(q[1]) * field.chi(q[2]))
    assert MeanField("relu", 4.0).gradient_growth(1.0, 6)[0] == pytest.approx(2.0**5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weight_variance": -1.0}, "weight_variance must be"),
        ({"weight_variance": math.inf}, "weight_variance must be"),
        ({"weight_variance": [1.0, math.nan]}, "weight_variance must be .* not nan"),
        ({"weight_variance": "1"}, "weight_variance must be a real number"),
        ({"bias_variance": True}, "bias_variance must be"),
        ({"activation": "rleu"}, "did you mean 'relu'"),
    ],
)
def test_what_cannot_be_is_refused_when_built(parameters, message):
    with pytest.raises(ValueError, match=message):
        MeanField(**{"activation": "tanh", "weight_variance": 1.0, **parameters})
    with pytest.raises(ValueError, match="correlation must be in"):
        MeanField("tanh", 1.0).correlation_map(1.5, 1.0)
    with pytest.raises(ValueError, match="a second moment must be"):
        MeanField("tanh", 1.0).q_map(-1.0)
    with pytest.raises(ValueError, match="depth must be an integer"):
        MeanField("tanh", 1.0).second_moments(1.0, -1)
    with pytest.raises(ValueError, match="grows without bound"):
        MeanField("relu", [1.0, 2.5]).fixed_correlation()


WIDTH, DEPTH, DRAWS = 500, 6, 12


def simulate(activation, weight_variance, bias_variance, seed, first_q, correlation):
    """Return by layer the second moment and correlation of two inputs, and gradients' ratios."""
    network = Mlp((WIDTH,) * (DEPTH + 1), activation, "float64", "numpy")
    network.initialize("fan_in_normal", seed)
    rng = np.random.default_rng(seed)
    for weights, biases in network.layers():
        weights *= math.sqrt(weight_variance)
        biases[:] = math.sqrt(bias_variance) * rng.standard_normal(WIDTH)
    basis = np.linalg.qr(rng.standard_normal((WIDTH, 2)))[0].T * math.sqrt(WIDTH * first_q)
    inputs = np.stack([basis[0], correlation * basis[0] + math.sqrt(1 - correlation**2) * basis[1]])
    states = [z for _, z in signals(network, inputs)]
    moments = np.array([np.mean(z**2) for z in states])
    correlations = np.array(
        [z[0] @ z[1] / math.sqrt((z[0] @ z[0]) * (z[1] @ z[1])) for z in states]
    )
    delta, ratios = rng.standard_normal((2, WIDTH)), []
    for (weights, _), z in reversed(list(zip(list(network.layers())[1:], states, strict=False))):
        below = (delta @ weights.T) * network.activation.derivative(z)
        ratios.append(np.mean(below**2) / np.mean(delta**2))
        delta = below
    return moments, correlations, np.array(ratios[::-1])


@pytest.mark.parametrize(
    ("activation", "weight_variance", "bias_variance"),
    [("tanh", 1.76, 0.05), ("tanh", 0.8, 0.0), ("tanh", 3.0, 0.1), ("relu", 2.0, 0.0)],
)
@pytest.mark.slow
def test_a_wide_network_does_what_is_predicted(activation, weight_variance, bias_variance):
    field = MeanField(activation, weight_variance, bias_variance)
    found = [
        simulate(activation, weight_variance, bias_variance, seed, 0.7, 0.6)
        for seed in range(DRAWS)
    ]
    # the first layer's inputs are no activations: their moment, 0.7, stands in for E[f²]
    q, correlation = (
        0.7 * weight_variance + bias_variance,
        (0.6 * 0.7 * weight_variance + bias_variance) / (0.7 * weight_variance + bias_variance),
    )
    for layer in range(DEPTH):
        for quantity, predicted in ((0, q), (1, correlation), (2, field.chi(q))):
            if quantity == 2 and layer == DEPTH - 1:
                continue
            values = np.array([one[quantity][layer] for one in found])
            error = stats.t.isf(CHANCE / 2, DRAWS - 1) * values.std(ddof=1) / math.sqrt(DRAWS)
            # beside the sampling error, what 1/width leaves out in each layer passed
            assert abs(values.mean() - predicted) < error + predicted * (layer + 1) / WIDTH
        if layer < DEPTH - 1:
            correlation, q = field.correlation_map(correlation, q), field.q_map(q)


def test_moments_by_depth_are_the_map_again_and_again():
    field = MeanField("tanh", 1.5, 0.1)
    moments = field.second_moments(2.0, 4)
    assert moments[0] == 2.0
    assert moments[3] == field.q_map(field.q_map(field.q_map(2.0)))
    assert math.isinf(MeanField("relu", 1e9).second_moments(1.0, 4)[-1])


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "linear", "tanh", "gelu"])
def test_second_moments_fall_to_0_as_those_of_two_lines(name):
    """Far below 1, f is a line on each side of 0; q is divided by 4 until it rounds to 0."""
    below, above = ACTIVATIONS[name].derivative(np.array([-1e-140, 1e-140]))
    field = MeanField(name, 0.5 / (below * below + above * above))
    found = field.second_moments(1e-280, 100)
    factors = found[1:45] / found[:44]  # normal numbers: those below 2e-308 have fewer bits
    np.testing.assert_allclose(factors, 0.25, rtol=2e-12)  # two quadratures, each to 1e-12
    assert found[-1] == 0.0
    # down to the smallest normal number, correlations are those of larger moments
    near, far = (field.correlation_map([-0.3, 0.5, 1.0], q) for q in (1e-280, 1e-305))
    np.testing.assert_allclose(far, near, rtol=4e-12, atol=4e-12)


def test_the_signal_of_relu_falls_to_0():
    found = MeanField("relu", 1.0).second_moments(1.0, 1200)
    layers = np.arange(1000)
    np.testing.assert_allclose(found[:1000], 0.5**layers, rtol=2e-12)
    assert found[1074] == 0.5**1074
    assert found[1199] == 0.0
