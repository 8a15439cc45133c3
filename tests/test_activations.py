import math

import numpy as np
import pytest
from exact_activations import EXACT

from initperf.activations import ACTIVATIONS

GRID = np.concatenate([np.linspace(-12.0, 12.0, 2001), 10.0 ** np.linspace(-30, 0, 61)])


def test_there_is_an_exact_function_for_every_activation():
    assert set(EXACT) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_value_is_the_function_to_a_few_roundings(name, dtype):
    x = GRID.astype(dtype)
    exact = EXACT[name](x.astype(np.float64))
    value = ACTIVATIONS[name].value(x)
    assert value.dtype == dtype
    # tanh is good to 4 eps of itself; selu subtracts two numbers of up to 1.76; the exponential
    # of x in gelu is as wrong as x is rounded, times x, where the gate is still half open
    error = np.abs(value - exact)
    assert np.max(error / np.maximum(np.abs(exact), 1.0)) < 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tanh_keeps_its_relative_accuracy_where_signals_vanish(dtype):
    x = (10.0 ** np.linspace(-30, -1, 200)).astype(dtype)
    exact = np.tanh(x.astype(np.float64))
    assert np.max(np.abs(ACTIVATIONS["tanh"].value(x) / exact - 1)) < 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_is_the_limit_of_differences(name):
    step = 1e-6
    x = np.linspace(-5.0, 5.0, 999) + 0.0007  # the kink at 0 is between points
    activation = ACTIVATIONS[name]
    difference = (activation.value(x + step) - activation.value(x - step)) / (2 * step)
    # truncation of order step^2, and the rounding of values up to 9 divided by the step
    tolerance = step**2 + 2 * 9 * np.finfo(np.float64).eps / step
    np.testing.assert_allclose(activation.derivative(x), difference, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_steepest_is_the_largest_slope(name):
    slopes = np.abs(ACTIVATIONS[name].derivative(np.linspace(-12.0, 12.0, 240001)))
    assert slopes.max() == pytest.approx(ACTIVATIONS[name].steepest, rel=1e-4)
    assert slopes.max() <= ACTIVATIONS[name].steepest


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_said_of_zeros_holds_for_every_number(name, dtype):
    smallest = np.finfo(dtype).smallest_subnormal
    x = np.concatenate([GRID, [0.0, smallest, 1e30, np.inf]]).astype(dtype)
    with np.errstate(invalid="ignore"):  # the slope of a line is NaN at infinity
        value, slope = ACTIVATIONS[name].value_and_slope(np.concatenate([x, -x]))
    activation = ACTIVATIONS[name]
    same = np.array_equal(value == 0, np.abs(slope) < np.asarray(activation.saturation, dtype))
    assert same == activation.zero_where_saturated


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gain_keeps_a_unit_second_moment(name):
    rng = np.random.default_rng(3)
    squares = ACTIVATIONS[name].value(rng.standard_normal(1_000_000)) ** 2
    error = squares.std() / math.sqrt(squares.size)
    assert abs(squares.mean() - 1 / ACTIVATIONS[name].gain ** 2) < 5 * error


def test_the_gain_of_relu_is_the_root_of_two_and_that_of_selu_one():
    assert ACTIVATIONS["relu"].gain == pytest.approx(math.sqrt(2.0), rel=1e-12)
    assert ACTIVATIONS["selu"].gain == pytest.approx(1.0, abs=1e-8)


def test_plain_numbers_and_integers_will_do():
    assert ACTIVATIONS["relu"].value(-3) == 0.0
    assert ACTIVATIONS["relu"].derivative([1, -1]).tolist() == [1.0, 0.0]


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'sigmoid'"):
        ACTIVATIONS["sigmoyd"]
