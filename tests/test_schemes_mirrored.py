"""Networks that start as linear ones, as sines of stated spread, or as the identity."""

import math

import numpy as np
import pytest
from scipy import stats

from initperf import SCHEMES, draw_network
from initperf.activations import ACTIVATIONS
from initperf.schemes import signals
from initperf.schemes.looks_linear import odd_part
from initperf.training.network import Mlp

CHANCE = 1e-6  # of failing a test by bad luck, were the seeds others
RECTIFIERS = {
    "relu": 1.0,
    "leaky_relu": 1.01,
    "linear": 2.0,
    "gelu": 1.0,
    "gelu_erf": 1.0,
    "silu": 1.0,
    "softplus": 1.0,
}


def test_which_activations_have_a_line_for_their_odd_part():
    found = {name: odd_part(activation) for name, activation in ACTIVATIONS.items()}
    assert {name for name, factor in found.items() if factor} == set(RECTIFIERS)
    for name, factor in RECTIFIERS.items():
        assert found[name] == pytest.approx(factor, rel=1e-14)


@pytest.mark.parametrize("activation", RECTIFIERS)
def test_a_network_that_looks_linear_is_a_product_of_orthogonal_matrices(activation):
    sizes = (12, 24, 40, 40, 40, 20)
    network = Mlp(sizes, activation, "float64", "numpy").initialize("looks_linear", 3)
    inputs = np.random.default_rng(0).standard_normal((50, 12))
    logits = network.logits(inputs)
    # linear: of sums and multiples too, whatever units are active
    mixed = network.logits(2.0 * inputs[:25] - 3.0 * inputs[25:])
    np.testing.assert_allclose(mixed, 2.0 * logits[:25] - 3.0 * logits[25:], rtol=0, atol=1e-12)
    # no half of a layer is narrower than the one before it: an isometry of all inputs
    matrix = np.linalg.lstsq(inputs, logits, rcond=None)[0]
    np.testing.assert_allclose(np.linalg.svd(matrix)[1], 1.0, rtol=1e-11)


def test_halves_of_a_layer_are_opposite_and_biases_zero():
    layers = draw_network("looks_linear", (9, 8, 6, 5), rng=0, dtype="float64")
    (first, _), (middle, _), (last, _) = layers
    np.testing.assert_array_equal(first[:, 4:], -first[:, :4])
    block = middle[:4, :3]
    np.testing.assert_array_equal(middle, np.block([[block, -block], [-block, block]]))
    np.testing.assert_array_equal(last[3:], -last[:3])
    assert not any(biases.any() for _, biases in layers)


def test_two_hundred_layers_that_look_linear_keep_gradients_of_all_inputs_alike():
    """The paper's title: gradients of two inputs are the same, where He's are shattered."""
    sizes = (32, *[64] * 200, 32)
    inputs = np.random.default_rng(1).standard_normal((2, 32))
    top = np.random.default_rng(2).standard_normal(32)

    def correlation(rule):
        network = Mlp(sizes, "relu", "float64", "numpy").initialize(rule, 0)
        states = list(zip(signals(network, inputs), network.layers(), strict=True))
        above = np.stack([top, top])
        for number, ((_, z), (weights, _)) in reversed(list(enumerate(states))):
            slope = 1.0 if network.is_linear(number) else network.activation.derivative(z)
            above = (above * slope) @ weights.T
        one, two = above
        return one @ two / math.sqrt((one @ one) * (two @ two))

    assert correlation("looks_linear") == pytest.approx(1.0, abs=1e-9)
    assert abs(correlation("he_normal")) < 0.999


def test_a_siren_has_the_bounds_of_the_paper_and_its_implementation():
    layers = draw_network("siren", (2, 256, 256, 3), "sin", rng=1, dtype="float64")
    hidden = math.sqrt(6 / 256)
    bounds = [(30 / 2, 30 / math.sqrt(2)), (hidden, 30 / 16), (hidden / 30, 1 / 16)]
    for arrays, limits in zip(layers, bounds, strict=True):
        for sample, bound in zip(arrays, limits, strict=True):
            uniform = stats.uniform(-bound, 2 * bound)
            assert stats.kstest(sample.ravel(), uniform.cdf).pvalue > CHANCE
            assert np.abs(sample).max() <= bound
    for _, biases in draw_network("siren", (2, 16, 16, 3), "sin", rng=1, biases=False):
        assert not biases.any()


def test_the_second_moment_of_a_siren_without_biases_follows_its_map():
    """q ← 1 − e^(−2q), by E[sin² u] = (1 − e^(−2q))/2 and weights of variance 2/n."""
    width, depth, count = 512, 12, 10
    found = np.empty((count, depth))
    inputs = np.random.default_rng(4).uniform(-1, 1, (64, 2))
    rule = SCHEMES["siren"].replace(biases=False)
    for seed in range(count):
        network = Mlp((2, *[width] * depth, 1), "sin", "float64", "numpy").initialize(rule, seed)
        found[seed] = [np.mean(z**2) for _, z in signals(network, inputs)][:depth]
    quantile = stats.t.isf(CHANCE / 2, count - 1) / math.sqrt(count)
    for before, after in zip(found.T[1:-1], found.T[2:], strict=True):
        predicted = -np.expm1(-2.0 * before)
        error = quantile * np.std(after - predicted, ddof=1)
        # beside the sampling error what finite width leaves out, of the order of 1/width a layer
        assert abs(np.mean(after - predicted)) < error + 10.0 / width


def test_padded_identities_hand_inputs_on_and_branches_almost_nothing():
    layers = draw_network("idinit", (3, 7, 2), "relu", dtype="float64")
    np.testing.assert_array_equal(layers[0][0], np.eye(3)[:, [0, 1, 2, 0, 1, 2, 0]])
    np.testing.assert_array_equal(layers[1][0], np.eye(7, 2))
    network = Mlp((6, 6, 6, 6, 6, 6), "relu", "float64", residual=2).initialize("idinit", 0)
    x = np.random.default_rng(0).random((5, 6))
    # two blocks of ReLU and 1e-6 of it, then the identity; inputs are positive
    np.testing.assert_allclose(network.logits(x), x * (1 + 1e-6) ** 2, rtol=1e-14)
    network.initialize(SCHEMES["idinit"].replace(scale=2.0, epsilon=0.0), 0)
    np.testing.assert_allclose(network.logits(x), 2.0 * x, rtol=1e-15)
