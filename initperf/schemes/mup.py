"""The maximal update parametrization: learning rates that stay right when the width changes.

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

    These are the weights' part. The other part, a learning rate for each layer, is what
    `learning_rates` returns; `initperf.train` applies it.

    Attributes
    ----------
    base_width : float
        The width at which the parametrization is the standard one, in weights and rates.
    """

    base_width: float = 256.0

    def __post_init__(self) -> None:
        self.check_numbers("base_width", positive=True)

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the normal law, whose variance goes with 1/n² in the output layer, and zeros."""
        last = number == network.depth - 1
        scale = math.sqrt(self.base_width / network.sizes[number]) if last else 1.0
        return VarianceScaling(gain=scale * gain(network, number)), INITIALIZERS["zeros"]

    def learning_rates(self, network: Network, optimizer: str = "sgd") -> list[tuple[float, float]]:
        """Return what multiplies the learning rate of each layer's weights and of its biases.

        Parameters
        ----------
        network : Network
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
            grown = 1.0 if last else fan_out  # inputs and outputs of the network do not grow
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
