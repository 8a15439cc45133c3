"""Sinusoidal networks: activations that keep their distribution from layer to layer.

Sitzmann, Martel, Bergman, Lindell & Wetzstein, "Implicit neural representations with periodic
activation functions", arXiv:2006.09661, section 3.2 and supplement 1.5: the first layer U(±1/n),
all others U(±√(6/n)/ω₀), for layers sin(ω₀ (Wx + b)); biases U(±1/√n), as the paper's code has it.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import Assign, Recipe, register, role, uniform
from initperf.torch.recipes import pytorch


@dataclass(frozen=True, kw_only=True)
class Siren(Recipe):
    """U(±1/n) for the model's first weight, U(±√(6/n)/ω₀) for the others; biases U(±1/√n).

    Attributes
    ----------
    omega : float
        The frequency ω₀ that multiplies the argument of the sine.
    """

    omega: float = 30.0

    def __post_init__(self) -> None:
        self.check_numbers("omega", positive=True)

    def _weight(self, parameter: Parameter) -> Initializer:
        fan_in, _ = parameter.fans
        if parameter.position == 0:
            return uniform(1.0 / fan_in)
        return uniform(math.sqrt(6.0 / fan_in) / self.omega)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            Assign(role("weight"), self._weight),
            Assign(role("bias"), pytorch.layer, optional=True),
        )


register(
    Siren(
        name="siren",
        formula="first U(±1/n), then U(±√(6/n)/30); biases U(±1/√n)",
        cite="Sitzmann et al. 2020 (2006.09661), section 3.2",
    )
)
