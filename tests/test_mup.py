"""Maximal update parametrization: multipliers and base widths, against networks that have them."""

import math

import numpy as np
import pytest
from small_networks import descend, inputs

from initperf import SCHEMES, Experiment, draw_network
from initperf.errors import UnsuitableError
from initperf.schemes import signals
from initperf.training.network import Mlp

SIZES = (20, 32, 48, 5)
BASE = (16, 12)


class Multiplied:
    """A tanh network that computes θ x W + b in each layer, as table 8 has it, and its descent."""

    def __init__(self, layers, multipliers):
        self.layers = [(weights.copy(), biases.copy()) for weights, biases in layers]
        self.multipliers = multipliers

    def logits(self, x):
        for number, ((w, b), theta) in enumerate(zip(self.layers, self.multipliers, strict=True)):
            z = theta * (x @ w) + b
            x = z if number == len(self.layers) - 1 else np.tanh(z)
        return x

    def gradients(self, x, labels):
        states = [x]
        for (w, b), theta in zip(self.layers, self.multipliers, strict=True):
            states.append(np.tanh(theta * (states[-1] @ w) + b))
        logits = self.logits(x)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        delta = shares / shares.sum(axis=1, keepdims=True)
        delta[np.arange(len(x)), labels] -= 1.0
        delta /= len(x)
        found = []
        for number in reversed(range(len(self.layers))):
            w, theta = self.layers[number][0], self.multipliers[number]
            found.insert(0, (theta * states[number].T @ delta, delta.sum(axis=0)))
            delta = theta * (delta @ w.T) * (1.0 - states[number] ** 2)
        return found

    def train(self, x, labels, steps, rates, optimizer):
        """Take steps with a rate for each layer's weights and biases; Adam with ε = 0."""
        memory = [[(0.0, 0.0)] * 2 for _ in self.layers]
        for step in range(1, steps + 1):
            gradients = self.gradients(x, labels)
            for number, pair in enumerate(self.layers):
                for part in (0, 1):
                    g = gradients[number][part]
                    if optimizer == "adam":
                        m, v = memory[number][part]
                        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                        memory[number][part] = m, v
                        g = m / (1 - 0.9**step) / np.sqrt(v / (1 - 0.999**step))
                    pair[part][:] -= rates[number][part] * g


def table_8(optimizer, rate):
    """Return multipliers and rates of table 8, for unequal hidden widths, relative to BASE."""
    one, two = SIZES[1] / BASE[0], SIZES[2] / BASE[1]
    multipliers = [1.0, 1.0, 1.0 / two]
    if optimizer == "adam":
        factors = [(1.0, 1.0), (1.0 / one, 1.0), (1.0, 1.0)]
    else:
        # of the hidden layer fan_out/fan_in, 1 where widths grow alike, as the authors' package
        factors = [(one, one), (two / one, two), (two, 1.0)]
    return multipliers, [(rate * w, rate * b) for w, b in factors]


def trained(rule, optimizer, rate, x, labels, steps=6):
    network = Mlp(SIZES, "tanh", "float64", "numpy").initialize(rule, 3)
    rates = rule.learning_rates(network, optimizer)
    descend(network, x, labels, np.full(steps, rate), optimizer, rates)
    return network


@pytest.mark.parametrize(
    ("optimizer", "rate", "tolerance"), [("sgd", 0.5, 1e-11), ("adam", 1e-2, 1e-4)]
)
def test_training_is_that_of_table_8_with_its_multipliers(optimizer, rate, tolerance):
    x, labels = inputs(30, 20), np.arange(30) % 5
    rule = SCHEMES["mup"].replace(base_width=BASE)
    multipliers, rates = table_8(optimizer, rate)
    start = draw_network(rule, SIZES, "tanh", rng=3, dtype="float64", backend="numpy")
    start = [(w / theta, b) for (w, b), theta in zip(start, multipliers, strict=True)]
    # table 8 starts the output weights from a variance that no width changes, that of the base
    allowed = 6 / math.sqrt(2 * start[-1][0].size)
    assert start[-1][0].std() == pytest.approx(1 / math.sqrt(BASE[1]), rel=allowed)
    theirs = Multiplied(start, multipliers)
    theirs.train(x, labels, 6, rates, optimizer)
    ours = trained(rule, optimizer, rate, x, labels)
    # sgd: roundings; adam: ε of 1e-8 beside gradients of 1e-3 and more here
    np.testing.assert_allclose(ours.logits(x), theirs.logits(x), rtol=0, atol=tolerance)
    plain = trained(SCHEMES["mup"].replace(base_width=48), optimizer, rate, x, labels)
    assert np.abs(plain.logits(x) - theirs.logits(x)).max() > 100 * tolerance


@pytest.mark.parametrize(
    ("optimizer", "rate", "tolerance"), [("sgd", 0.2, 1e-11), ("adam", 1e-2, 1e-4)]
)
def test_multipliers_train_as_a_network_that_multiplies(optimizer, rate, tolerance):
    x, labels = inputs(30, 20), np.arange(30) % 5
    rule, multipliers = SCHEMES["mup"].replace(base_width=BASE), (0.7, 1.5, 3.0)
    names = ("input_multiplier", "hidden_multiplier", "output_multiplier")
    multiplied = rule.replace(**dict(zip(names, multipliers, strict=True)))
    network = Mlp(SIZES, "tanh", "float64", "numpy")
    plain = rule.learning_rates(network, optimizer)
    start = draw_network(rule, SIZES, "tanh", rng=3, dtype="float64", backend="numpy")
    theirs = Multiplied(start, multipliers)
    theirs.train(x, labels, 6, [(rate * w, rate * b) for w, b in plain], optimizer)
    ours = trained(multiplied, optimizer, rate, x, labels)
    np.testing.assert_allclose(ours.logits(x), theirs.logits(x), rtol=0, atol=tolerance)
    assert np.abs(trained(rule, optimizer, rate, x, labels).logits(x) - ours.logits(x)).max() > 0.01


def test_layers_of_unequal_widths_move_alike_when_they_grow_alike():
    """The coordinate check with a base width for each layer."""
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((32, 20)), rng.integers(0, 10, 32)
    rule = SCHEMES["mup"].replace(base_width=(64, 128))

    def moves(widths):
        network = Mlp((20, *widths, 10), "tanh", "float64").initialize(rule, 0)
        before = [z for _, z in signals(network, x)]
        descend(network, x, labels, np.full(4, 0.1), "sgd", rule.learning_rates(network))
        after = zip(signals(network, x), before, strict=True)
        return np.array([np.sqrt(np.mean((z - old) ** 2)) for (_, z), old in after])

    exponents = np.log(moves((512, 1024)) / moves((64, 128))) / math.log(8)
    # as of equal widths: corrections of the order of 1/√64
    assert np.all(np.abs(exponents) < math.log(1 + 1 / 8) / math.log(8))


def test_base_widths_are_as_many_as_hidden_layers():
    rule = SCHEMES["mup"].replace(base_width=(8, 8))
    with pytest.raises(UnsuitableError, match="one for each of 1 hidden layers, not 2"):
        draw_network(rule, (5, 8, 3), "tanh")
    with pytest.raises(UnsuitableError, match="one for each of 1 hidden layers, not 2"):
        Experiment("mup(base_width=(8, 8))", hidden=(8,))
    assert Experiment("mup(base_width=(8, 8))", hidden=(8, 4)).rule == rule


def test_a_base_width_of_all_layers_is_that_of_each():
    network = Mlp((20, 64, 32, 5), "tanh")
    one, each = (SCHEMES["mup"].replace(base_width=width) for width in (16.0, (16, 16)))
    for optimizer in ("sgd", "adam", "adamw"):
        assert one.learning_rates(network, optimizer) == each.learning_rates(network, optimizer)
    rates = each.learning_rates(network, "sgd")
    assert rates == [(4.0, 4.0), (0.5, 2.0), (0.5, 1.0)]
    assert each.learning_rates(network, "adamw") == [(1.0, 1.0), (0.25, 1.0), (0.5, 1.0)]
