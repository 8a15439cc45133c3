"""Maximal update parametrization: learning rates that stay optimal when the width changes.

Yang, Hu, Babuschkin et al., "Tensor programs V: tuning large neural networks via zero-shot
hyperparameter transfer", 2022 (2203.03466): table 3 for weights that are used as they are, which is
table 8 with its multipliers moved into the weights. A multiplier θ of a layer computes θ x W; θ W
in the place of W computes the same, and follows the same path when the rate of gradient descent is
θ² times as large, that of Adam θ times (the paper's lemma J.1; Adam's ε is then scaled too).
"""

import math
from dataclasses import dataclass

import numpy as np

from initperf._core.arguments import choice, elements
from initperf._core.arguments import number as checked_number
from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS, Initializer
from initperf.initializers.variance_scaling import VarianceScaling
from initperf.schemes._residual import gain
from initperf.schemes._scheme import Network, PerLayer, register

_OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw")
_ENTRYWISE = ("adam", "adamw")
"""Optimizers whose steps do not grow with the gradient."""


@dataclass(frozen=True, kw_only=True)
class Mup(PerLayer):
    """N(0, g²/n), in the output layer N(0, base_width/n²), times multipliers; biases 0.

    The factors of the learning rates that belong to these weights are returned by
    `learning_rates`; `initperf.train` applies them.

    Attributes
    ----------
    base_width : float or tuple of float
        Width at which weights and learning rates equal those of the standard parametrization; of
        all hidden layers, or of each.
    input_multiplier, hidden_multiplier, output_multiplier : float
        Multipliers of x W in the first layer, between hidden layers, and in the output layer;
        like the learning rate, they are tuned at one width and serve at all.
    """

    base_width: float | tuple[float, ...] = 256.0
    input_multiplier: float = 1.0
    hidden_multiplier: float = 1.0
    output_multiplier: float = 1.0

    def __post_init__(self) -> None:
        several = elements(self.base_width)
        if several is None:
            self.check_numbers("base_width", positive=True)
        else:
            widths = tuple(checked_number("base_width", one, positive=True) for one in several)
            object.__setattr__(self, "base_width", widths)
        multipliers = "input_multiplier", "hidden_multiplier", "output_multiplier"
        self.check_numbers(*multipliers, positive=True)

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse base widths that are not as many as the hidden layers."""
        if isinstance(self.base_width, tuple) and len(self.base_width) != len(hidden):
            raise UnsuitableError(
                f"base_width must be one number or one for each of {len(hidden)} hidden layers, "
                f"not {len(self.base_width)}"
            )

    def _base(self, network: Network) -> np.ndarray:
        """Return the base widths of the hidden layers, (layers − 1,)."""
        return np.broadcast_to(self.base_width, (network.depth - 1,)).astype(np.float64)

    def _multiplier(self, network: Network, number: int) -> float:
        if number == network.depth - 1:
            return self.output_multiplier
        return self.hidden_multiplier if number else self.input_multiplier

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return normals, of variance ∝ 1/n² in the output layer, and zeros."""
        scale = self._multiplier(network, number)
        if 0 < number == network.depth - 1:
            scale *= math.sqrt(self._base(network)[-1] / network.sizes[number])
        return VarianceScaling(gain=scale * gain(network, number)), INITIALIZERS["zeros"]

    def learning_rates(self, network: Network, optimizer: str = "sgd") -> list[tuple[float, float]]:
        """Return the factors of the learning rates of each layer's weights and biases.

        Parameters
        ----------
        network : Network
            The network.
        optimizer : str
            ``"sgd"``, ``"momentum"``, ``"nesterov"``, ``"adam"`` or ``"adamw"``.

        Raises
        ------
        ValueError
            For another optimizer.
        """
        choice("optimizer", optimizer, _OPTIMIZERS)
        hidden = network.sizes[1:-1] / self._base(network)
        widths = [1.0, *hidden.tolist(), 1.0]  # the network's inputs and outputs keep their width
        rates = []
        for number in range(network.depth):
            fan_in, fan_out = widths[number : number + 2]
            multiplier = self._multiplier(network, number)
            if optimizer in _ENTRYWISE:
                rates.append((multiplier / fan_in, 1.0))
            else:
                rates.append((multiplier**2 * fan_out / fan_in, fan_out))
        return rates


register(
    "mup",
    Mup(
        formula="N(0, g²/n), output N(0, 256/n²), g the layer's gain; biases 0",
        cite="Yang et al. 2022, tables 3 and 8",
    ),
    aliases=("maximal_update",),
)
