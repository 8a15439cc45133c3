"""Gains: exact ones against integrals by other means, PyTorch's table as printed."""

import math

import numpy as np
import pytest
from exact_activations import EXACT
from scipy import integrate

import initperf
from initperf import ACTIVATIONS, calculate_gain
from initperf.theory import MeanField, gradient_gain, signal_gain


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_exact_gain_keeps_a_unit_second_moment(name):
    moment = 0.0
    for end in (-12.0, 12.0):  # beyond, less than 1e-30 of the mass; the kink is between halves
        z = np.linspace(0.0, end, 100_001)
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        moment += abs(integrate.simpson(EXACT[name](z) ** 2 * density, x=z))
    # Simpson's error is of order step^4, 2e-16; the value is good to 4 eps of at least 1
    assert calculate_gain(name, exact=True) == pytest.approx(1 / math.sqrt(moment), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1.0),
        ("conv_transpose3d", None, 1.0),
        ("sigmoid", None, 1.0),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / (1 + 0.01**2))),
        ("leaky_relu", 0.2, math.sqrt(2 / 1.04)),
        ("selu", None, 0.75),
    ],
)
def test_the_table_is_that_of_pytorch(name, param, gain):
    assert calculate_gain(name, param) == gain


def test_what_the_table_lacks_has_its_exact_gain():
    assert calculate_gain("gelu") == calculate_gain("gelu", exact=True)
    assert calculate_gain("swish") == pytest.approx(ACTIVATIONS["silu"].gain, rel=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_signal_and_gradient_gains_keep_what_they_say(name):
    q = np.array([0.01, 1.0, 30.0])
    for gain, factor in ((signal_gain, "q_map"), (gradient_gain, "chi")):
        field = MeanField(name, gain(name, q) ** 2)
        kept = getattr(field, factor)(q)
        np.testing.assert_allclose(kept, q if factor == "q_map" else 1.0, rtol=1e-14)
    # two quadratures, each right to 1e-12
    assert signal_gain(name) == pytest.approx(calculate_gain(name, exact=True), rel=2e-12)


def test_gains_of_small_moments_are_limits_and_of_bad_ones_refused():
    assert signal_gain("relu", 1e-290) == pytest.approx(math.sqrt(2), rel=1e-12)
    assert signal_gain("tanh", 1e-290) == pytest.approx(1.0, rel=1e-12)
    for bad in (0.0, -1.0, math.inf):
        with pytest.raises(ValueError, match="q must be finite"):
            gradient_gain("relu", bad)


@pytest.mark.parametrize(
    ("name", "param", "message"),
    [
        ("tanhh", None, "did you mean 'tanh'"),
        ("relu", 0.1, "param is the slope of leaky_relu; relu has no parameter"),
        *(("leaky_relu", bad, "param must be ") for bad in (math.nan, "0.1", True, 1e200, -1e200)),
    ],
)
def test_bad_names_and_parameters_are_refused(name, param, message):
    with pytest.raises(ValueError, match=message):
        initperf.calculate_gain(name, param)
