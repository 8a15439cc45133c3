"""CompleteP: hyperparameters that transfer over width and depth.

Dey et al., "Don't be lazy: CompleteP enables compute-efficient deep transformers",
arXiv:2505.01618, table 1, the part of the first values: hidden weights N(0, σ² b/d), d the width
and b the width at which it all is the standard parametrization; embeddings and the output layer
N(0, σ²). The rest, branches multiplied by 1/L, logits multiplied by b/d, rates and decay, is the
model's and the optimizer's.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import is_head, width_of


@dataclass(frozen=True, kw_only=True)
class CompleteP(Recipe):
    """N(0, std² base_width/d) for hidden weights, N(0, std²) for embeddings and head.

    Attributes
    ----------
    std : float
        Standard deviation at `base_width`.
    base_width : float
        The width of the model that was tuned.
    """

    std: float = 0.02
    base_width: float = 256.0

    def __post_init__(self) -> None:
        self.check_numbers("std")
        self.check_numbers("base_width", positive=True)

    def _hidden(self, parameter: Parameter) -> Initializer:
        return normal(self.std * math.sqrt(self.base_width / width_of(parameter)))

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(role("embedding"), normal(self.std), optional=True),
            Assign(is_head, normal(self.std), optional=True),
            Assign(role("weight"), self._hidden),
            *BIASES,
        )


register(
    CompleteP(
        name="completep",
        formula="N(0, σ² 256/d), embeddings and head N(0, σ²), σ = 0.02",
        cite="Dey et al. 2025 (2505.01618), table 1",
    )
)
