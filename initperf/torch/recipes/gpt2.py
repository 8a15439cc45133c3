"""GPT-2 and Megatron-LM: one standard deviation, divided by √(2L) where branches end.

Radford, Wu, Child, Luan, Amodei & Sutskever, "Language models are unsupervised multitask
learners", 2019, section 2.3: weights of residual layers are scaled by 1/√N, N residual layers, of
which each of the L blocks has two. Shoeybi et al., "Megatron-LM", arXiv:1909.08053, section 3,
states the same with σ = 0.02.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import is_output, layers_of, position_tables


@dataclass(frozen=True, kw_only=True)
class Gpt2(Recipe):
    """N(0, std²); N(0, std²/(2L)) where attention and feed-forward networks end; biases 0.

    Attributes
    ----------
    std : float
        Standard deviation of weights and embeddings.
    cut : float, optional
        Values beyond so many standard deviations are drawn anew; by default none.
    """

    std: float = 0.02
    cut: float | None = None

    def __post_init__(self) -> None:
        self.check_numbers("std", least=0.0)

    def _output(self, parameter: Parameter) -> Initializer:
        return normal(self.std / math.sqrt(2.0 * layers_of(parameter)), self.cut)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(is_output, self._output, optional=True),
            Assign(role("weight", "embedding"), normal(self.std, self.cut)),
            *position_tables(self.std, self.cut),
            *BIASES,
        )


_FORMULA = "N(0, 0.02²), branches end with N(0, 0.02²/(2L))"

register(Gpt2(name="gpt2", formula=_FORMULA, cite="Radford et al. 2019, section 2.3"))
register(Gpt2(name="megatron", formula=_FORMULA, cite="Shoeybi et al. 2019 (1909.08053)"))
