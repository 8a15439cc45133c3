"""Gradients and trajectories against PyTorch's autograd and optimizers, in float64.

These tests need PyTorch: ``pytest tests/peers``.
"""

import numpy as np
import pytest
import torch

from initperf.activations import ACTIVATIONS
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import Batches, Descent, Records
from initperf.optimizers import OPTIMIZERS
from initperf.training.network import Mlp

SIZES = (6, 7, 7, 4)
NARROWING = (6, 7, 5, 7, 4)  # a residual block of two layers
ROWS, STEPS = 9, 10
EPS = float(np.finfo(np.float64).eps)
FUNCTIONS = {
    "linear": lambda x: x,
    "relu": torch.nn.functional.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "selu": torch.nn.functional.selu,
    "gelu": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "gelu_erf": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "softplus": torch.nn.functional.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "sin": torch.sin,
}
RULES = {
    "sgd": lambda weights, decay: torch.optim.SGD(weights, lr=0.1, weight_decay=decay),
    "momentum": lambda weights, decay: torch.optim.SGD(
        weights, lr=0.1, momentum=0.9, weight_decay=decay
    ),
    "nesterov": lambda weights, decay: torch.optim.SGD(
        weights, lr=0.1, momentum=0.9, nesterov=True, weight_decay=decay
    ),
    "adam": lambda weights, decay: torch.optim.Adam(weights, lr=0.1, weight_decay=decay),
    "adamw": lambda weights, decay: torch.optim.AdamW(weights, lr=0.1, weight_decay=decay),
}


class Both:
    """One network here and the same in PyTorch."""

    def __init__(self, activation, backend="numba", residual=0):
        sizes = NARROWING if residual == 2 else SIZES
        self.ours = Mlp(sizes, activation, "float64", backend, residual)
        self.ours.initialize("glorot_normal", rng=4, biases="fan_in_uniform")
        self.function = FUNCTIONS[activation]
        self.theirs = [
            torch.from_numpy(values.copy()).requires_grad_()
            for layer in self.ours.layers()
            for values in layer
        ]
        rng = np.random.default_rng(11)
        self.images = rng.standard_normal((ROWS * STEPS, SIZES[0]))
        self.labels = rng.integers(0, SIZES[-1], ROWS * STEPS)

    def loss(self, rows):
        x = entered = torch.from_numpy(self.images[rows])
        firsts, lasts = ({block[i] for block in self.ours.blocks} for i in (0, -1))
        for layer in range(len(self.theirs) // 2):
            entered = x if layer in firsts else entered
            z = x @ self.theirs[2 * layer] + self.theirs[2 * layer + 1]
            x = z if self.ours.is_linear(layer) else self.function(z)
            x = x + entered if layer in lasts else x
        return torch.nn.functional.cross_entropy(x, torch.from_numpy(self.labels[rows]))

    def train(self, steps, optimizer, rate=0.1, decay=0.0, clip_norm=0.0, clip_globally=False):
        """Take steps here; return the gradients of the last and all losses."""
        rule, network = OPTIMIZERS[optimizer], self.ours
        factors = rule.replace(weight_decay=decay).factors(np.full(steps, rate), 0)
        descent = Descent.start(rule, factors, network.parameters)
        arrays, records = network.arrays(ROWS), Records.of(steps, network.depth, recorded=steps)
        done, _ = KERNELS["train_epoch"][network.backend](
            arrays,
            Batches(self.images, self.labels, np.arange(ROWS * steps), ROWS),
            descent._replace(clip_norm=clip_norm, clip_globally=clip_globally),
            records,
        )
        assert done == steps
        return arrays.gradients, records.losses

    def agree(self, found, tolerance):
        flat = torch.cat([values.reshape(-1) for values in found]).detach().numpy()
        largest = np.max(np.abs(flat))
        np.testing.assert_allclose(self.parameters, flat, rtol=0.0, atol=tolerance * largest)

    @property
    def parameters(self):
        return self.ours.parameters


def test_there_is_a_function_and_a_rule_of_pytorch_for_every_one_here():
    assert set(FUNCTIONS) == set(ACTIVATIONS)
    assert set(RULES) == set(OPTIMIZERS)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("residual", [0, 1, 2])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_gradients_are_those_of_autograd(activation, residual, backend):
    both = Both(activation, backend, residual)
    loss = both.loss(slice(0, ROWS))
    loss.backward()
    gradients, losses = both.train(1, "sgd", rate=0.0)
    theirs = torch.cat([values.grad.reshape(-1) for values in both.theirs]).numpy()
    # sums of at most nine terms in each layer, there and back, here and in PyTorch
    tolerance = 2 * 2 * both.ours.depth * 9 * EPS
    assert losses[0] == pytest.approx(loss.item(), rel=tolerance)
    np.testing.assert_allclose(gradients, theirs, rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("optimizer", RULES)
def test_ten_steps_end_where_those_of_pytorch_end(optimizer, decay, backend):
    both = Both("tanh", backend)
    rule = RULES[optimizer](both.theirs, decay)
    expected = []
    for step in range(STEPS):
        rule.zero_grad()
        loss = both.loss(slice(step * ROWS, (step + 1) * ROWS))
        loss.backward()
        rule.step()
        expected.append(loss.item())
    _, losses = both.train(STEPS, optimizer, decay=decay)
    # Roundings of a step, some 100 eps, carried on through ten steps, each of which may amplify
    # them by the rate times the curvature; adam divides by gradients as small as 1e-3 of others.
    amplified = 1e3 if optimizer in ("adam", "adamw") else 10.0
    tolerance = 100 * STEPS * amplified * EPS
    np.testing.assert_allclose(losses, expected, rtol=tolerance)
    both.agree(both.theirs, tolerance)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("clip_globally", [False, True])
def test_clipping_is_that_of_pytorch(clip_globally, backend):
    both, largest = Both("relu", backend), 0.05
    rule = RULES["sgd"](both.theirs, 0.0)
    for step in range(STEPS):
        rule.zero_grad()
        both.loss(slice(step * ROWS, (step + 1) * ROWS)).backward()
        groups = [both.theirs] if clip_globally else zip(*[iter(both.theirs)] * 2, strict=True)
        for group in groups:
            torch.nn.utils.clip_grad_norm_(group, largest)
        rule.step()
    both.train(STEPS, "sgd", clip_norm=largest, clip_globally=clip_globally)
    # PyTorch adds 1e-6 to a norm of at least 0.05 before dividing by it: steps of 0.1 * 0.05
    both.agree(both.theirs, STEPS * 0.1 * largest * 1e-6 / largest)
