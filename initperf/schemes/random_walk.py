"""Weights that keep the expected logarithm of a gradient's norm over the layers.

Sussillo & Abbott, "Random walk initialization for training very deep feedforward networks", 2014
(1412.6558). The logarithm of a back-propagated gradient's norm is a random walk; in layers of
finite width it drifts down even where the mean square is kept, and the gain g compensates that.
"""

import math

from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._scheme import Network, PerLayer, register


def gain(activation: str, width: int) -> float:
    """Return g for layers of a width: exp(1/(2n)), and √2 exp(1.2 / (max(n, 6) − 2.4)) for ReLU.

    The first is the paper's expansion, the second its fit to simulations.

    Parameters
    ----------
    activation : str
        ``"linear"`` or ``"relu"``.
    width : int
        n.
    """
    if activation == "linear":
        return math.exp(0.5 / width)
    return math.sqrt(2.0) * math.exp(1.2 / (max(width, 6) - 2.4))


class RandomWalk(PerLayer):
    """N(0, g²/n), g by the width and the activation; biases 0."""

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse activations without a gain in the paper, and residual layers."""
        if activation.name not in self.suits:
            raise UnsuitableError(
                f"{self.name} has gains for {' and '.join(self.suits)}, not for {activation.name}; "
                "critical has a variance for any activation, in the limit of infinite width"
            )
        if residual:
            raise UnsuitableError(
                f"{self.name} is derived without residual layers: residual must be 0"
            )

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the normal for the layer's width, and zeros."""
        factor = gain(network.activation.name, int(network.sizes[number]))
        return VarianceScaling(gain=factor), INITIALIZERS["zeros"]


register(
    "random_walk",
    RandomWalk(
        formula="N(0, g²/n), g = exp(1/2n) linear, √2 exp(1.2/(max(n, 6) − 2.4)) ReLU",
        cite="Sussillo & Abbott 2014",
        suits=("linear", "relu"),
    ),
)
