"""Networks at initialization: inputs, stacks of dense layers, residual branches, and means."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from initperf.activations import ACTIVATIONS, Activation
from initperf.claims._random import normals
from initperf.initializers import INITIALIZERS, Initializer

_BIASES, _INPUTS = 1 << 20, 1 << 21


@dataclass(frozen=True, eq=False)
class Stack:
    """Dense layers z ← f(z) W + b, all with the activation, float32.

    Attributes
    ----------
    weights : list of numpy.ndarray
        Each (fan_in, fan_out).
    biases : list of numpy.ndarray
        Each (fan_out,).
    activation : Activation
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    activation: Activation

    @classmethod
    def draw(
        cls,
        seed: int,
        widths: Sequence[int],
        weights: Initializer,
        activation: str,
        bias_std: float = 0.0,
    ) -> "Stack":
        """Draw a stack.

        Parameters
        ----------
        seed : int
        widths : sequence of int
            Of the inputs, then of each layer.
        weights : Initializer
        activation : str
        bias_std : float
            Standard deviation of normal biases.
        """
        shapes = list(itertools.pairwise(widths))
        return cls(
            [weights(s, rng=seed, stream=i, threads=1) for i, s in enumerate(shapes)],
            [normals(seed, _BIASES + i, (m,), bias_std) for i, (_, m) in enumerate(shapes)],
            ACTIVATIONS[activation],
        )

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the pre-activations of every layer, each (count, units), for inputs `x`."""
        found = []
        for w, b in zip(self.weights, self.biases, strict=True):
            found.append(x @ w + b)
            x = self.activation.value(found[-1])
        return found

    def backward(self, preactivations: Sequence[np.ndarray], top: np.ndarray) -> list[np.ndarray]:
        """Return the gradients by the pre-activations of every layer.

        Parameters
        ----------
        preactivations : sequence of numpy.ndarray
            Result of `forward`.
        top : numpy.ndarray
            (count, units): the gradient by the last layer's activations.
        """
        gradients: list[np.ndarray] = []
        for z, w in zip(reversed(preactivations), reversed(self.weights), strict=True):
            gradients.insert(0, top * self.activation.derivative(z))
            top = gradients[0] @ w.T
        return gradients


def inputs(seed: int, count: int, features: int) -> np.ndarray:
    """Draw standard normal inputs, (count, features) float32, independent of all weights."""
    return normals(seed, _INPUTS, (count, features))


def orthogonal_inputs(seed: int, features: int) -> np.ndarray:
    """Draw two normal inputs at a right angle, (2, features) float64, as `inputs` does."""
    x = inputs(seed, 2, features).astype(np.float64)
    x[1] -= x[0] * (x[0] @ x[1]) / (x[0] @ x[0])
    return x


def relu_branch(x: np.ndarray, seed: int, block: int) -> np.ndarray:
    """Return W₂ relu(W₁ relu(x)) with He's weights, the branch of a residual block.

    Parameters
    ----------
    x : numpy.ndarray
        (count, units).
    seed, block : int
        Each block of a seed has weights of its own.
    """
    width = x.shape[1]
    for layer in range(2):
        shape = (width, width)
        w = INITIALIZERS["he_normal"](shape, rng=seed, stream=2 * block + layer, threads=1)
        x = np.maximum(x, 0.0) @ w
    return x


def correlation(signals: np.ndarray) -> float:
    """Return the cosine of the angle between two signals, (2, units), in float64."""
    one, two = signals.astype(np.float64)
    return float(one @ two / np.sqrt((one @ one) * (two @ two)))


def mean_over_networks(measure: Callable[[int], float], seed: int, networks: int) -> float:
    """Return the mean of a quantity over networks that are drawn from seeds of their own.

    Parameters
    ----------
    measure : callable
        From the seed of a network to its number.
    seed : int
        Of the claim's measurement.
    networks : int
    """
    total = 0.0
    for number in range(networks):
        total += measure(seed * networks + number)
    return total / networks


def mean_square(x: np.ndarray) -> float:
    """Return the mean square of all entries, summed in float64."""
    return float(np.mean(np.square(x, dtype=np.float64)))
