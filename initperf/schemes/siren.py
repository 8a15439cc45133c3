"""Weights of sinusoidal networks, whose activation is `sin`.

Sitzmann, Martel, Bergman, Lindell & Wetzstein, "Implicit neural representations with periodic
activation functions", NeurIPS 2020 (2006.09661), section 3.2, and its reference implementation,
which computes sin(ω₀ (x W + b)). Here the activation is sin x: ω₀ is part of weights and biases, so
that the network computes the same function, and gradient descent with the rate ω₀² η the same
steps as there with η.
"""

import math
from dataclasses import dataclass

from initperf.activations import Activation
from initperf.errors import UnsuitableError
from initperf.initializers import Initializer
from initperf.initializers.uniform import Uniform
from initperf.schemes._scheme import Network, PerLayer, register


def _uniform(bound: float) -> Initializer:
    return Uniform(low=-bound, high=bound)


@dataclass(frozen=True, kw_only=True)
class Siren(PerLayer):
    """U(±ω₀/n) in the first layer, U(±√(6/n)) in the others, U(±√(6/n)/ω₀) in the linear last.

    Biases are those of the implementation, PyTorch's U(±1/√n) times ω₀ in the layers of sines.
    The paper's theorem has none: `biases` leaves them out.

    Attributes
    ----------
    frequency : float
        ω₀, positive; the paper's 30 is for inputs in ±1 with details as fine as an image's.
    biases : bool
        Whether to draw biases; 0 otherwise.
    """

    frequency: float = 30.0
    biases: bool = True

    def __post_init__(self) -> None:
        self.check_numbers("frequency", positive=True)
        if not isinstance(self.biases, bool):
            raise ValueError(f"biases must be True or False, not {self.biases!r}")

    def check(self, hidden: tuple[int, ...], activation: Activation, residual: int) -> None:
        """Refuse activations other than sin."""
        if hidden and activation.name != "sin":
            raise UnsuitableError(f"{self.name} is for the activation sin, not {activation.name}")

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return uniform distributions for both; see `PerLayer.initializers`."""
        fan_in = int(network.sizes[number])
        linear = network.is_linear(number)
        bound = self.frequency / fan_in if number == 0 else math.sqrt(6.0 / fan_in)
        inside = 1.0 if linear else self.frequency
        biases = inside / math.sqrt(fan_in) if self.biases else 0.0
        return _uniform(bound / (self.frequency if linear else 1.0)), _uniform(biases)


register(
    "siren",
    Siren(
        formula="U(±30/n), then U(±√(6/n)), last U(±√(6/n)/30); biases U(±30/√n), last U(±1/√n)",
        cite="Sitzmann et al. 2020, section 3.2",
        suits=("sin",),
    ),
)
