"""The spectral condition: weights whose norm is √(m/n), so that features learn at any width.

Yang, Simon & Bernstein, "A spectral condition for feature learning", arXiv:2310.17813,
parametrization 1: σ = min(1, √(m/n))/√n, n the fan-in and m the fan-out. ``orthogonal=True`` gives
√(m/n) times a semi-orthogonal matrix, whose norm is exact, as optimizers that orthogonalize their
updates (Muon) suppose. Tables that are looked up have inputs of one entry: N(0, 1).
"""

import math
from dataclasses import dataclass

from initperf.initializers import INITIALIZERS, Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role


@dataclass(frozen=True, kw_only=True)
class Spectral(Recipe):
    """N(0, min(1, m/n)/n), or √(m/n) times a semi-orthogonal matrix; biases 0.

    Attributes
    ----------
    orthogonal : bool
        Whether weights are semi-orthogonal.
    """

    orthogonal: bool = False

    def _weight(self, parameter: Parameter) -> Initializer:
        fan_in, fan_out = parameter.fans
        if self.orthogonal:
            return INITIALIZERS["orthogonal"].replace(gain=math.sqrt(fan_out / fan_in))
        return normal(min(1.0, math.sqrt(fan_out / fan_in)) / math.sqrt(fan_in))

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(role("embedding"), normal(1.0), optional=True),
            Assign(role("weight"), self._weight),
            *BIASES,
        )


register(
    Spectral(
        name="spectral",
        formula="N(0, min(1, m/n)/n)",
        cite="Yang, Simon & Bernstein 2023 (2310.17813), parametrization 1",
    ),
    aliases=("muon",),
)
