"""Base class of schemes that shape an activation by weights and biases.

DKS and TAT transform the activation f to γ (f(α x + β) + δ), see `initperf.theory.Shaping`; here
the four constants go into the weights and biases instead, so that the network computes the same
function with f as it is. Its gradients differ: biases stand for β + α times those of the paper and
signals keep the mean −δ, so that plain gradient descent needs smaller learning rates than with
centred signals.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from initperf._core.source import Source
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS
from initperf.schemes._scheme import Network, Scheme
from initperf.theory import Shaping


@dataclass(frozen=True, kw_only=True)
class Shaped(Scheme):
    """Orthogonal weights scaled by α and γ, biases that stand for β and δ.

    Attributes
    ----------
    input_moment : float
        The mean square of the inputs, positive: 1 for standardized data. The first layer makes
        up for it.
    """

    input_moment: float = 1.0

    def __post_init__(self) -> None:
        self.check_numbers("input_moment", positive=True)

    @abstractmethod
    def shaping(self, activation: Activation, layers: int) -> Shaping:
        """Return the transformation of an activation.

        Parameters
        ----------
        activation : Activation
        layers : int
            Number of hidden layers, at least 1.

        Raises
        ------
        UnsuitableError
            When there is none.
        """

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse residual layers, and an activation that the transformation cannot shape."""
        if residual:
            raise UnsuitableError(
                f"{self.name} is for networks without residual layers: residual must be 0; "
                "depth_scaled and fixup are for those that have them"
            )
        if hidden:
            self.shaping(activation, len(hidden))

    def set_parameters(self, network: Network, source: Source, batch: np.ndarray) -> None:
        """Set weights and biases to those of the shaped activation."""
        orthogonal = INITIALIZERS["orthogonal"]
        before = 1.0 / math.sqrt(self.input_moment), 0.0  # γ and δ of the layer below
        for number, (weights, biases) in enumerate(network.layers()):
            orthogonal.draw_into(weights, source.of(number))
            weights *= max(1.0, math.sqrt(weights.shape[1] / weights.shape[0]))
            after, scale, shift = before, 1.0, 0.0
            if not network.is_linear(number):
                found = self.shaping(network.activation, network.depth - 1)
                scale, shift = found.input_scale, found.input_shift
                after = found.output_scale, found.output_shift
            weights *= scale * before[0]
            biases[:] = shift + before[1] * weights.sum(axis=0, dtype=np.float64)
            before = after
