"""Sinusoidal networks: layers sin(ω(Wx + b)) whose signals or gradients keep their size.

Sitzmann, Martel, Bergman, Lindell & Wetzstein, "Implicit neural representations with periodic
activation functions", arXiv:2006.09661, section 3.2 and supplement 1.5: the first layer U(±1/n),
all others U(±√(6/n)/ω); biases U(±1/√n), as the paper's code has it. Combette, Venaille &
Pustelnik, "A new initialisation to control gradients in sinusoidal neural network",
arXiv:2512.06427, show that gradients then grow by √1.2 a layer, and derive the weights that keep
them: with hidden weights U(±c/√n) and biases N(0, b²), pre-activations settle at the variance
s = c²/6 (1 − exp(−2s)) + b², and the Jacobian of a layer keeps gradients where
c²/6 (1 + exp(−2s)) = 1, hence c² = 6/(1 + exp(−2s)) and b² = s − tanh s. They propose s = 0:
c = √3, b = 0.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import Assign, Recipe, normal, register, role, uniform
from initperf.torch.recipes import pytorch
from initperf.torch.recipes._ends import in_last_layer, is_first


@dataclass(frozen=True, kw_only=True)
class Siren(Recipe):
    """U(±1/n) for the model's first weight, U(±√(6/n)/ω) for the others; biases U(±1/√n).

    Attributes
    ----------
    omega : float
        The frequency ω that multiplies the argument of the sine.
    """

    omega: float = 30.0

    def __post_init__(self) -> None:
        self.check_numbers("omega", positive=True)

    def _weight(self, parameter: Parameter) -> Initializer:
        fan_in, _ = parameter.fans
        if is_first(parameter):
            return uniform(1.0 / fan_in)
        return uniform(math.sqrt(6.0 / fan_in) / self.omega)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            Assign(role("weight"), self._weight),
            Assign(role("bias"), pytorch.layer, optional=True),
        )


@dataclass(frozen=True, kw_only=True)
class CriticalSiren(Recipe):
    """U(±c/√n) and N(0, b²), both over ω where a sine follows, so that gradients keep their size.

    Attributes
    ----------
    omega : float
        The frequency ω that multiplies the argument of each sine; 1 for layers sin(Wx + b), as the
        paper writes them.
    first : float
        The first weight is U(±first/n): 1 where its sine has the frequency ω, and the frequency
        itself where it has not.
    variance : float
        The variance s of the sine's argument at which layers settle; the paper proposes 0, because
        deep layers then add no frequencies, and compares it with 1.
    """

    omega: float = 30.0
    first: float = 1.0
    variance: float = 0.0

    def __post_init__(self) -> None:
        self.check_numbers("omega", "first", positive=True)
        self.check_numbers("variance", least=0.0)

    def _frequency(self, parameter: Parameter) -> float:
        """Return what multiplies the layer's result; no sine follows the last layer."""
        return 1.0 if in_last_layer(parameter) else self.omega

    def _weight(self, parameter: Parameter) -> Initializer:
        fan_in, _ = parameter.fans
        if is_first(parameter):
            return uniform(self.first / fan_in)
        gain = math.sqrt(6.0 / (1.0 + math.exp(-2.0 * self.variance)))
        return uniform(gain / math.sqrt(fan_in) / self._frequency(parameter))

    def _bias(self, parameter: Parameter) -> Initializer:
        std = math.sqrt(max(0.0, self.variance - math.tanh(self.variance)))
        return normal(std / self._frequency(parameter))

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            Assign(role("weight"), self._weight),
            Assign(role("bias"), self._bias, optional=True),
        )


register(
    Siren(
        name="siren",
        formula="first U(±1/n), then U(±√(6/n)/30); biases U(±1/√n)",
        cite="Sitzmann et al. 2020 (2006.09661), section 3.2",
    )
)
register(
    CriticalSiren(
        name="siren_critical",
        formula="first U(±1/n), then U(±√(3/n)/30), last U(±√(3/n)); biases 0",
        cite="Combette, Venaille & Pustelnik 2025 (2512.06427), equations 8 and 9",
    ),
    aliases=("siren_2025",),
)
