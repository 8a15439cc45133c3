"""Maximal update parametrization: learning rates that stay optimal when the width changes.

Yang, Hu, Babuschkin et al., "Tensor programs V: tuning large neural networks via zero-shot
hyperparameter transfer", 2022 (2203.03466), table 3, without multipliers.
"""

import math
from dataclasses import dataclass

from initperf._core.arguments import choice
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._residual import gain
from initperf.schemes._scheme import Network, PerLayer, register


@dataclass(frozen=True, kw_only=True)
class Mup(PerLayer):
    """N(0, g²/n), in the output layer N(0, base_width/n²); biases 0.

    The factors of the learning rates that belong to these weights are returned by
    `learning_rates`; `initperf.train` applies them.

    Attributes
    ----------
    base_width : float
        Width at which weights and learning rates equal those of the standard parametrization.
    """

    base_width: float = 256.0

    def __post_init__(self) -> None:
        self.check_numbers("base_width", positive=True)

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return normals, of variance ∝ 1/n² in the output layer, and zeros."""
        last = number == network.depth - 1
        scale = math.sqrt(self.base_width / network.sizes[number]) if last else 1.0
        return VarianceScaling(gain=scale * gain(network, number)), INITIALIZERS["zeros"]

    def learning_rates(self, network: Network, optimizer: str = "sgd") -> list[tuple[float, float]]:
        """Return the factors of the learning rates of each layer's weights and biases.

        Parameters
        ----------
        network : Network
            The network.
        optimizer : str
            ``"sgd"``, ``"momentum"``, ``"nesterov"``, or ``"adam"``.

        Raises
        ------
        ValueError
            For another optimizer.
        """
        choice("optimizer", optimizer, ("sgd", "momentum", "nesterov", "adam"))
        rates = []
        for number in range(network.depth):
            fan_in, fan_out = (network.sizes[number : number + 2] / self.base_width).tolist()
            last = number == network.depth - 1
            grown = 1.0 if last else fan_out  # the network's inputs and outputs keep their width
            if optimizer == "adam":
                rates.append((1.0 if number == 0 else 1.0 / fan_in, 1.0))
            elif number == 0:
                rates.append((grown, grown))
            else:
                rates.append((1.0 / fan_in if last else 1.0, grown))
        return rates


register(
    "mup",
    Mup(
        formula="N(0, g²/n), output N(0, 256/n²), g the layer's gain; biases 0",
        cite="Yang et al. 2022, table 3",
    ),
    aliases=("maximal_update",),
)
