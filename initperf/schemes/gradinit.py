"""Weights with factors that let the first step of gradient descent reduce the loss the most.

Zhu, Ni, Xu, Kong, Huang & Goldstein, "GradInit: learning to initialize neural networks for stable
and efficient training", NeurIPS 2021 (2102.08098), algorithm 1, for perceptrons and gradient
descent along the normalized gradient, with the settings of the authors' implementation, which
holds the first step's gradient fixed when it differentiates the loss after the step. Gradients of
the gradient's norm are those of `initperf.schemes._loss`, in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from initperf._core.source import Source
from initperf.errors import UnsuitableError
from initperf.initializers.uniform import Uniform
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._loss import Loss
from initperf.schemes._residual import gain
from initperf.schemes._scheme import BIAS_STREAMS, Network, Supervised, register

_ORDERS = 4 * BIAS_STREAMS
"""First stream of the orders of examples, one a pass."""

_BETAS = 0.9, 0.999
_SMALL = 1e-8


@dataclass(frozen=True, kw_only=True)
class GradInit(Supervised):
    """N(0, g²/n) times a factor for each layer, biases 0; for these the method has no factor.

    While the gradient's norm is above `bound`, a step reduces the norm; else it reduces the loss
    after a step of length `step` along the gradient, on examples half of which are new. Factors
    follow Adam, whose means are kept apart for the two and whose mean square is common.

    Attributes
    ----------
    iterations : int
        Steps of the factors, at least 0.
    examples : int
        Images a gradient, at least 2; no more than two thirds of those given.
    rate : float
        Adam's learning rate.
    step : float
        η, the length of the first step of training.
    bound : float
        γ, the largest norm of the gradient at the start.
    least : float
        Lower bound of the factors.
    """

    iterations: int = 390
    examples: int = 64
    rate: float = 0.01
    step: float = 0.1
    bound: float = 1.0
    least: float = 0.01

    images: ClassVar[int] = 512

    def __post_init__(self) -> None:
        self.check_integers("iterations", least=0)
        self.check_integers("examples", least=2)
        self.check_numbers("rate", "step", "bound", "least", positive=True)

    def set_from_examples(
        self, network: Network, source: Source, batch: np.ndarray, labels: np.ndarray
    ) -> None:
        """Set the parameters of a checked network; see `Supervised.set_from_examples`."""
        first = np.zeros(len(network.parameters))
        for number, (weights, _) in enumerate(network.layers(first)):
            VarianceScaling(gain=gain(network, number)).draw_into(weights, source.of(number))
        half = max(1, min(self.examples // 2, len(batch) // 3))
        chosen = _halves(source, len(batch), half)
        factors = _Factors(np.ones(network.depth), self.rate, self.least)
        for _ in range(self.iterations):
            parameters = scaled(network, first, factors.values)
            one, two = next(chosen), next(chosen)
            both = np.concatenate([one, two])
            loss = Loss(network, batch[both], labels[both])
            (gradient,) = loss.gradients(parameters)
            norm = float(np.linalg.norm(gradient))
            if not norm > 0.0 or not np.isfinite(norm):
                raise UnsuitableError(
                    f"{self.name} follows gradients, and their norm is {norm}: units are dead or "
                    "signals overflow; another seed or wider layers would be right"
                )
            if norm > self.bound:
                _, product = loss.gradients(parameters, gradient)
                factors.follow(by_layer(network, first, product / norm), constrained=True)
                continue
            others = np.concatenate([one, next(chosen)])
            after = parameters - (self.step / norm) * gradient
            (later,) = Loss(network, batch[others], labels[others]).gradients(after)
            factors.follow(by_layer(network, first, later / self.step), constrained=False)
        network.parameters[:] = scaled(network, first, factors.values)


def scaled(network: Network, first: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return parameters whose weights are the first ones times a factor for each layer.

    Parameters
    ----------
    network : Network
    first : numpy.ndarray
        (count,) float64.
    factors : numpy.ndarray
        (layers,) float64.
    """
    parameters = first.copy()
    for (weights, _), factor in zip(network.layers(parameters), factors, strict=True):
        weights *= factor
    return parameters


def by_layer(network: Network, first: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the derivative by the factor of each layer, (layers,), see `scaled`.

    Parameters
    ----------
    network : Network
    first, gradient : numpy.ndarray
        (count,) float64: the first parameters, and the gradient by the scaled ones.
    """
    pairs = zip(network.layers(first), network.layers(gradient), strict=True)
    return np.array([np.vdot(weights, by_weights) for (weights, _), (by_weights, _) in pairs])


def _halves(source: Source, count: int, half: int) -> Iterator[np.ndarray]:
    """Give numbers of examples, `half` at a time, in another random order in every pass."""
    places, passes = np.empty(count), 0
    while True:
        Uniform(low=0.0, high=1.0).draw_into(places, source.of(_ORDERS + passes))
        order = np.argsort(places, kind="stable")
        for begin in range(0, count - half + 1, half):
            yield order[begin : begin + half]
        passes += 1


@dataclass
class _Factors:
    """Factors of layers, and what Adam keeps for them.

    Attributes
    ----------
    values : numpy.ndarray
        (layers,) float64.
    rate, least : float
        Learning rate, and lower bound of the factors.
    """

    values: np.ndarray
    rate: float
    least: float
    _means: dict[bool, np.ndarray] = field(default_factory=dict)
    _squares: np.ndarray | float = 0.0
    _counts: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})

    def follow(self, slopes: np.ndarray, *, constrained: bool) -> None:
        """Take a step against slopes, each limited to ±1.

        Parameters
        ----------
        slopes : numpy.ndarray
            (layers,) float64.
        constrained : bool
            Whether they are of the norm; means of the two kinds are kept apart.
        """
        limited = np.clip(slopes, -1.0, 1.0)
        beta, gamma = _BETAS
        mean = beta * self._means.get(constrained, 0.0) + (1.0 - beta) * limited
        self._means[constrained] = mean
        self._counts[constrained] += 1
        self._squares = gamma * self._squares + (1.0 - gamma) * limited**2
        unbiased = mean / (1.0 - beta ** self._counts[constrained])
        root = np.sqrt(self._squares / (1.0 - gamma ** sum(self._counts.values())))
        moved = self.values - self.rate * unbiased / (root + _SMALL)
        self.values = np.maximum(moved, self.least)


register(
    "gradinit",
    GradInit(
        formula="α N(0, g²/n), α of each layer for the least loss after a step, ‖∇L‖ ≤ 1; biases 0",
        cite="Zhu et al. 2021 (2102.08098), algorithm 1",
        suits=("relu", "tanh"),
    ),
    aliases=("grad_init",),
)
