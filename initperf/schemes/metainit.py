"""Weights whose norms minimise the gradient quotient: gradients that a step changes little.

Dauphin & Schoenholz, "MetaInit: initializing learning by learning to initialize", NeurIPS 2019,
equation 1 and appendix A, with the settings given there. Gradients of the quotient, which contain
third derivatives of the loss, are those of `initperf.schemes._loss`, in float64.
"""

from dataclasses import dataclass

import numpy as np

from initperf._core.source import Source
from initperf.errors import UnsuitableError
from initperf.initializers.normal import Normal
from initperf.initializers.uniform import Uniform
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._loss import Loss
from initperf.schemes._residual import gain
from initperf.schemes._scheme import BIAS_STREAMS, Network, Scheme, register

_EXAMPLES = 3 * BIAS_STREAMS
"""First stream of random inputs and labels, two streams a step."""


def gradient_quotient(
    loss: Loss, parameters: np.ndarray, epsilon: float
) -> tuple[float, np.ndarray]:
    """Return the gradient quotient and its gradient by the parameters.

    The quotient is the mean over parameters of |(g − H g)/(g + ε sign g) − 1|, with sign 0 = 1:
    how far a step of gradient descent of rate 1 changes the gradient, relative to it.

    Parameters
    ----------
    loss : Loss
    parameters : numpy.ndarray
        (count,) float64.
    epsilon : float
        ε, positive.

    Returns
    -------
    float
    numpy.ndarray
        (count,), where the quotient is differentiable.
    """
    (g,) = loss.gradients(parameters)
    _, hessian_g = loss.gradients(parameters, g)
    edge = np.where(g < 0.0, -epsilon, epsilon)
    below = g + edge
    apart = (g - hessian_g) / below - 1.0
    sign = np.sign(apart) / g.size
    by_g = sign * (edge + hessian_g) / below**2
    by_product = -sign / below
    # the gradient of by_product·(H g), with by_product held, is the third derivative along both
    # and H (H by_product)
    _, hessian_b, _, third = loss.gradients(parameters, by_product, g)
    _, rest = loss.gradients(parameters, by_g + hessian_b)
    return float(np.abs(apart).mean()), rest + third


@dataclass(frozen=True, kw_only=True)
class MetaInit(Scheme):
    """Normal weights, whose norms follow the sign of the gradient quotient's gradient.

    A step draws standard normal inputs and random labels; no data is used. Each layer's norm moves
    by `rate` against the sign of the derivative, with momentum. Biases are 0, and count in the
    quotient. The cost is that of some ten gradients a step. Saturated units of tanh give no
    direction: from weights so large it need not find smaller ones.

    Attributes
    ----------
    steps : int
        Steps, at least 0.
    examples : int
        Random inputs a step.
    rate : float
        What a step changes a norm by, before momentum.
    momentum : float
        Share of the last change that is repeated, in [0, 1].
    epsilon : float
        ε of the quotient, positive.
    start : float
        Factor of the first weights, N(0, g²/n) with g the gain of the activation.
    """

    steps: int = 500
    examples: int = 32
    rate: float = 0.1
    momentum: float = 0.9
    epsilon: float = 1e-5
    start: float = 1.0

    def __post_init__(self) -> None:
        self.check_integers("steps", least=0)
        self.check_integers("examples", least=1)
        self.check_numbers("rate", "epsilon", "start", positive=True)
        self.check_numbers("momentum", least=0.0, most=1.0)

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set the parameters of a checked network; see `Scheme.set_parameters`."""
        parameters = np.zeros(len(network.parameters))
        layers = [weights for weights, _ in network.layers(parameters)]
        for number, weights in enumerate(layers):
            rule = VarianceScaling(gain=self.start * gain(network, number))
            rule.draw_into(weights, source.of(number))
        change = np.zeros(network.depth)
        for step in range(self.steps):
            loss = self._random_loss(network, source, step)
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                gradient = gradient_quotient(loss, parameters, self.epsilon)[1]
            if not np.isfinite(gradient).all():
                raise UnsuitableError(
                    f"{self.name} left the range of numbers in step {step + 1}; a smaller rate or "
                    "start would be right"
                )
            for number, (by_weights, _) in enumerate(network.layers(gradient)):
                weights = layers[number]
                slope = np.sign(np.vdot(weights, by_weights))
                change[number] = self.momentum * change[number] - self.rate * slope
                with np.errstate(divide="ignore", invalid="ignore"):  # refused in the next step
                    weights *= 1.0 + change[number] / np.linalg.norm(weights)
        network.parameters[:] = parameters

    def _random_loss(self, network: Network, source: Source, step: int) -> Loss:
        inputs = np.empty((self.examples, int(network.sizes[0])))
        Normal(scale=1.0).draw_into(inputs, source.of(_EXAMPLES + 2 * step))
        places = np.empty(self.examples)
        Uniform(low=0.0, high=1.0).draw_into(places, source.of(_EXAMPLES + 2 * step + 1))
        return Loss(network, inputs, (places * int(network.sizes[-1])).astype(np.int64))


register(
    "metainit",
    MetaInit(
        formula="N(0, g²/n) with norms that minimise mean |(∇L − H∇L)/∇L − 1|; biases 0",
        cite="Dauphin & Schoenholz 2019, algorithm 1",
        suits=("relu", "tanh"),
    ),
    aliases=("meta_init",),
)
