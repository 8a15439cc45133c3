"""End of the ordered phase and trainable depth, beside critical points and closed forms."""

import math

import numpy as np
import pytest

from initperf.theory import MeanField, critical, critical_weight_variance, trainable_depth


@pytest.mark.parametrize("biases", [0.01, 0.05, 0.3])
def test_the_ordered_phase_ends_at_the_critical_point(biases):
    expected = critical("tanh", bias_variance=biases).weight_variance
    # bisection to a relative 1e-6
    assert critical_weight_variance("tanh", biases) == pytest.approx(expected, rel=2e-6)


def test_relu_has_its_critical_weights_at_2_with_any_biases():
    # χ₁ = σw²/2 for every second moment
    for biases in (0.0, 0.05, 1.0):
        assert critical_weight_variance("relu", biases) == pytest.approx(2.0, rel=2e-6)


def test_gelu_is_ordered_below_and_unbounded_above():
    edge = critical_weight_variance("gelu", 0.05)
    field = MeanField("gelu", 0.999 * edge, 0.05)
    assert field.chi(field.fixed_point()) < 1.0
    above = MeanField("gelu", 1.001 * edge, 0.05)
    try:
        moment = above.fixed_point()
    except ValueError:
        return
    assert above.chi(moment) >= 1.0


def test_the_trainable_depth_is_six_depth_scales_of_correlations():
    variances = np.array([1.0, 1.5, 2.5])
    _, scales = MeanField("tanh", variances, 0.05).depth_scales()
    np.testing.assert_allclose(trainable_depth("tanh", variances, 0.05), 6.0 * scales, rtol=1e-12)


@pytest.mark.parametrize("variance", [0.5, 1.5, 3.0, 4.0])
def test_relu_forgets_and_explodes_at_the_rate_of_half_its_variance(variance):
    expected = 6.0 / abs(math.log(variance / 2.0))
    # of large second moments, the bias is lost to 1e-12
    assert trainable_depth("relu", variance, 0.05) == pytest.approx(expected, rel=1e-9)


def test_it_is_infinite_on_relus_critical_line():
    assert trainable_depth("relu", 2.0, 0.05) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: critical_weight_variance("tanh", -1.0), "bias_variance"),
        (lambda: trainable_depth("tanh", math.nan), "weight_variance"),
        (lambda: critical_weight_variance("tahn"), "did you mean 'tanh'"),
    ],
)
def test_arguments_outside_of_their_domain_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
