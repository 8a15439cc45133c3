"""Gradients, Hessian products and third derivatives by hand, against differences."""

import numpy as np
import pytest
from small_networks import BLOCKS, one_step, problem

from initperf.activations import ACTIVATIONS
from initperf.schemes._loss import Loss
from initperf.schemes._taylor import derivatives, through

SMOOTH = ("tanh", "sigmoid", "gelu", "gelu_erf", "silu", "softplus", "sin")


def setting(activation, sizes=(6, 7, 5, 4), residual=0):
    network, images, labels = problem(activation, "numpy", sizes=sizes, residual=residual)
    rng = np.random.default_rng(2)
    ways = rng.standard_normal((2, len(network.parameters)))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return network, Loss(network, images, labels), ways


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_of_activations_are_the_limits_of_differences(name):
    z = np.array([-4.0, -1.3, -0.2, 0.3, 0.9, 2.7])
    value, slope, second, third = derivatives(ACTIVATIONS[name], z, 3)
    np.testing.assert_array_equal(value, ACTIVATIONS[name].value(z))
    np.testing.assert_array_equal(slope, ACTIVATIONS[name].derivative(z))
    step = 1e-4
    near = [ACTIVATIONS[name].derivative(z + x) for x in (-2 * step, -step, step, 2 * step)]
    # central differences of fourth order: rounding 1e-12 and 1e-8, truncation below
    expected = (near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * step)
    np.testing.assert_allclose(second, expected, rtol=0, atol=1e-9)
    expected = (-near[0] + 16 * near[1] - 30 * slope + 16 * near[2] - near[3]) / (12 * step**2)
    # stated: 1e-7 times fifth derivatives, of up to 20 here
    np.testing.assert_allclose(third, expected, rtol=0, atol=3e-6)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "linear"])
def test_lines_have_no_curvature_even_at_their_kink(name):
    *_, second, third = derivatives(ACTIVATIONS[name], np.array([-1e-6, 0.0, 1e-6, 3.0]), 3)
    assert not second.any()
    # sums of a slope times 2, −5, 4 and −1, of a rounding or two, by the square of the step
    np.testing.assert_allclose(third, 0.0, atol=1e-9)


def test_a_function_of_a_taylor_array_follows_the_chain_rule():
    x = np.array([0.3, -0.7])
    z = [x, np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.array([0.5, 0.25])]
    found = through([x**3, 3 * x**2, 6 * x], z)
    np.testing.assert_allclose(found[1], 3 * x**2 * z[1])
    np.testing.assert_allclose(found[3], 3 * x**2 * z[3] + 6 * x * z[1] * z[2])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_loss_and_its_gradient_are_those_of_training(activation):
    network, loss, _ = setting(activation)
    expected, gradients, _ = one_step(network, loss.inputs, loss.labels)
    assert loss.value(network.parameters) == pytest.approx(expected, rel=1e-13)
    (found,) = loss.gradients(network.parameters)
    # sums of at most nine terms in each of three layers, there and back
    np.testing.assert_allclose(found, gradients, rtol=0, atol=100 * np.finfo(float).eps)


@pytest.mark.parametrize("layers", [0, *BLOCKS])
def test_losses_along_a_line_are_those_of_its_points(layers):
    sizes = BLOCKS[layers][0] if layers else (6, 7, 5, 4)
    network, loss, (way, _) = setting("tanh", sizes, layers)
    lengths = (-0.5, 0.0, 2.0)
    found = loss.values_along(network.parameters, way, lengths)
    expected = [loss.value(network.parameters + length * way) for length in lengths]
    # sums of at most nine terms in each layer, of weights or of products first
    np.testing.assert_allclose(found, expected, rtol=100 * np.finfo(float).eps)
    assert len(set(found)) == 3


@pytest.mark.parametrize("layers", [0, *BLOCKS])
@pytest.mark.parametrize("activation", [*SMOOTH, "relu"])
def test_hessian_products_are_the_limits_of_differences(activation, layers):
    sizes = BLOCKS[layers][0] if layers else (6, 7, 5, 4)
    network, loss, (way, _) = setting(activation, sizes, layers)
    gradient, product = loss.gradients(network.parameters, way)
    np.testing.assert_array_equal(gradient, loss.gradients(network.parameters)[0])
    step = 1e-5
    ends = [loss.gradients(network.parameters + x * way)[0] for x in (-step, step)]
    # third derivatives of up to 10 times step², eps of gradients by the step, and 1e-10 of f''
    np.testing.assert_allclose(product, (ends[1] - ends[0]) / (2 * step), rtol=0, atol=2e-9)
    assert np.abs(product).max() > 1e-3


@pytest.mark.parametrize("layers", [0, 2])
@pytest.mark.parametrize("activation", [*SMOOTH, "relu"])
def test_third_derivatives_are_the_limits_of_differences(activation, layers):
    sizes = BLOCKS[layers][0] if layers else (6, 7, 5, 4)
    network, loss, (one, two) = setting(activation, sizes, layers)
    gradient, by_one, by_two, third = loss.gradients(network.parameters, one, two)
    np.testing.assert_allclose(by_one, loss.gradients(network.parameters, one)[1], atol=1e-15)
    np.testing.assert_allclose(by_two, loss.gradients(network.parameters, two)[1], atol=1e-15)
    step = 2e-4
    ends = [loss.gradients(network.parameters + x * two, one)[1] for x in (-step, step)]
    # 1e-7 of f'''; of the difference 1e-10 of f'' by the step, and fifth derivatives of up to 10
    # times step²/6
    np.testing.assert_allclose(third, (ends[1] - ends[0]) / (2 * step), rtol=0, atol=1e-6)
    assert np.abs(third).max() > 1e-3
    assert gradient.shape == network.parameters.shape
