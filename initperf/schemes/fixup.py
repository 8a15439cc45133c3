"""Residual networks that start as the identity.

Zhang, Dauphin & Ma, "Fixup initialization: residual learning without normalization", ICLR 2019
(1901.09321).
"""

from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._residual import check_residual
from initperf.schemes._scheme import Network, PerLayer, register

_LINEAR_AT_ZERO = ("tanh", "elu", "selu", "gelu", "gelu_erf", "silu", "sin")


class Fixup(PerLayer):
    """Zeros at the end of every branch and in the output layer, branches scaled by their number.

    The paper's first two rules, for L blocks of m layers: the m − 1 layers that are not zero have
    the standard weights times L^(−1/(2m−2)), so that a step of gradient descent changes the
    output of the network equally at any depth. Of the third rule, biases are implemented, one for
    each unit, and the multiplier of each branch is not.

    Updates of parameters that end a branch and follow no scaled weights add up over the blocks:
    its biases, and a branch of one layer as a whole. Their learning rates are divided by L, which
    the paper, whose biases are elsewhere, does not require. A branch of one layer ends with its
    activation, whose slope at 0 must not be 0.
    """

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse networks without residual blocks, and branches that never learn if set to 0."""
        check_residual(self.name, hidden, residual)
        if residual == 1 and (activation.value(0.0) != 0.0 or activation.derivative(0.0) == 0.0):
            raise UnsuitableError(
                f"{self.name} sets branches of one layer to 0, which needs an activation with "
                f"f(0) = 0 and f'(0) > 0: {', '.join(_LINEAR_AT_ZERO)}, not {activation.name}, "
                f"whose value there is {activation.value(0.0):g} and slope "
                f"{activation.derivative(0.0):g}; blocks of two layers, residual=2, end without one"
            )

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return zeros, or a normal with the activation's gain, smaller in a branch."""
        zeros, scale = INITIALIZERS["zeros"], network.activation.gain
        for block in network.blocks:
            if number in block:
                if number == block[-1]:
                    return zeros, zeros
                scale *= len(network.blocks) ** (-1.0 / (2 * len(block) - 2))
        if number == network.depth - 1:
            return zeros, zeros
        return VarianceScaling(gain=scale), zeros

    def learning_rates(self, network: Network, optimizer: str = "sgd") -> list[tuple[float, float]]:
        """Return 1, and 1/L for the biases that end a branch, and for branches of one layer."""
        rates = super().learning_rates(network, optimizer)
        for block in network.blocks:
            share = 1.0 / len(network.blocks)
            rates[block[-1]] = share if len(block) == 1 else 1.0, share
        return rates


register(
    "fixup",
    Fixup(
        formula="0 at the end of a block and in the output layer, else N(0, g²/n), in the L blocks "
        "of m layers times L^(−1/(2m−2)); biases 0",
        cite="Zhang, Dauphin & Ma 2019, rules 1 and 2",
        suits=(*_LINEAR_AT_ZERO, "relu", "leaky_relu"),
    ),
)
