"""Residual networks that begin as the identity.

Zhang, Dauphin & Ma, "Fixup initialization: residual learning without normalization", ICLR 2019
(1901.09321).
"""

from initperf.activations import Activation
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._residual import check_residual
from initperf.schemes._scheme import Network, PerLayer, UnsuitableError, register


class Fixup(PerLayer):
    """Zeros in the last layer of every residual branch and in the output layer; the rest standard.

    The paper's first two rules. A branch ``x + f(x @ weights + bias)`` has one layer, which is its
    last, so the factor L^(−1/(2m−2)) of the other m − 1 finds nothing to scale; nor does the
    network have the scalar biases and multipliers of the third rule. What is kept: at first the
    residual layers pass signal and gradient on as they are, at any depth. What is not: the factor
    also divides the effect of one step by L, here the learning rate has to.
    """

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: bool) -> None:
        """Refuse networks without residual layers, and branches that zeros switch off for good."""
        check_residual(self.name, hidden, residual)
        if activation.value(0.0) != 0.0 or activation.derivative(0.0) == 0.0:
            raise UnsuitableError(
                f"{self.name} sets residual branches to 0, which needs an activation with "
                f"f(0) = 0 and f'(0) > 0: {', '.join(self.suits)}, not {activation.name}, whose "
                "value there is "
                f"{activation.value(0.0):g} and slope {activation.derivative(0.0):g}"
            )

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return zeros, or the normal law with the activation's gain."""
        zeros = INITIALIZERS["zeros"]
        if network.adds_input(number) or number == network.depth - 1:
            return zeros, zeros
        return VarianceScaling(gain=network.activation.gain), zeros


register(
    "fixup",
    Fixup(
        formula="0 in residual and output layers, else N(0, g²/n); biases 0",
        cite="Zhang, Dauphin & Ma 2019, rules 1 and 2",
        suits=("tanh", "elu", "selu", "gelu", "silu"),
    ),
)
