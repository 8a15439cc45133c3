"""Teachings of tutorials about scales of weights."""

import math

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._stack import Stack, inputs, mean_square
from initperf.claims._training import run_epochs, started
from initperf.initializers import INITIALIZERS
from initperf.schemes import SCHEMES, signals
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

_COURSE = "Stanford CS231n, notes and lecture on weight initialization"
_TANH = "10 tanh layers of 500 units, 100 standard normal inputs of 500 features."


def _relu_factor(seed: int, quick: bool) -> float:
    stack = Stack.draw(seed, [1000] * 11, INITIALIZERS["lecun_normal"], "relu")
    states = stack.forward(inputs(seed, 64, 1000))
    return float((mean_square(states[-1]) / mean_square(states[0])) ** (1.0 / 9.0))


def _torch_factor(seed: int, quick: bool) -> float:
    network = Mlp((1000,) * 4, "relu")
    SCHEMES["torch.Linear"](network, rng=seed)
    states = [mean_square(z) for _, z in signals(network, inputs(seed, 64, 1000))]
    return states[1] / states[0]


def _tanh_activations(initializer: str, seed: int) -> np.ndarray:
    stack = Stack.draw(seed, [500] * 11, INITIALIZERS[initializer], "tanh")
    return np.tanh(stack.forward(inputs(seed, 100, 500))[-1].astype(np.float64))


def _silent(seed: int, quick: bool) -> float:
    return math.log10(_tanh_activations("small_normal", seed).std())


def _saturated(seed: int, quick: bool) -> float:
    return float(np.mean(np.abs(_tanh_activations("large_normal", seed)) > 0.99))


def _different_units(seed: int, quick: bool) -> float:
    """Return the number of different hidden units after training from zeros."""
    experiment = Experiment("zeros", "tanh", hidden=(64,), epochs=1, record="none", seed=seed)
    epochs = started(experiment)
    run_epochs(epochs)
    weights, _ = next(epochs.network.layers())
    return float(len(np.unique(weights, axis=1).T))


register(
    Claim(
        name="half_variance",
        statement="Weights of variance 1/n halve the second moment in each ReLU layer.",
        cite=_COURSE,
        setting="10 ReLU layers of 1,000 units, N(0, 1/n), no biases.",
        quantity="factor of the second moment a layer",
        number=0.5,
        low=0.475,
        high=0.525,
        tolerance="5 %.",
        measure=_relu_factor,
    )
)
register(
    Claim(
        name="torch_default",
        statement="PyTorch's default for dense layers reduces the second moment to 1/6 in a ReLU "
        "layer.",
        cite="PyTorch, nn.Linear.reset_parameters: U(±1/√n), of variance 1/(3n)",
        setting="initperf's torch.Linear, biases included, the second of three layers of 1,000.",
        quantity="second moment of layer 2 / layer 1",
        number=1.0 / 6.0,
        low=0.158,
        high=0.175,
        tolerance="5 %; biases add 0.6 % here, and all of it further up.",
        measure=_torch_factor,
        seeds=20,
        source_read="derived from the code",
    )
)
register(
    Claim(
        name="small_normal_silent",
        statement="N(0, 0.01²) silences a tanh network of 10 layers of 500 units.",
        cite=_COURSE,
        setting=_TANH,
        quantity="log₁₀ of the standard deviation in layer 10",
        number=None,
        low=-math.inf,
        high=-5.0,
        tolerance="a standard deviation below 1e-5, as in the lecture's histograms.",
        measure=_silent,
    )
)
register(
    Claim(
        name="large_normal_saturates",
        statement="N(0, 5²) saturates nearly all units of a tanh network.",
        cite=_COURSE + "; with 1 in the place of 5",
        setting=_TANH,
        quantity="share of activations beyond ±0.99 in layer 10",
        number=None,
        low=0.95,
        high=1.0,
        tolerance="nearly all: 95 %.",
        measure=_saturated,
    )
)
register(
    Claim(
        name="zeros_symmetry",
        statement="Hidden units that start from zeros stay equal.",
        cite=_COURSE,
        setting="one tanh layer of 64 units, 5,000 images of MNIST, one epoch.",
        quantity="different hidden units after training",
        number=1.0,
        low=1.0,
        high=1.0,
        tolerance="none.",
        measure=_different_units,
        seeds=3,
        quick_seeds=2,
    )
)
