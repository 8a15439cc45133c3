"""GPT-NeoX: SmallInit, and Wang's rule where branches end.

Nguyen & Salazar, "Transformers without tears", arXiv:1910.05895, section 2.2: N(0, 2/(5d)). Wang &
Komatsuzaki, Mesh Transformer JAX, 2021: N(0, (2/(L√d))²). Black et al., "GPT-NeoX-20B",
arXiv:2204.06745, section 2.1, joins the two; embeddings are drawn by SmallInit too.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import is_output, layers_of, width_of


def _small(parameter: Parameter) -> Initializer:
    return normal(math.sqrt(2.0 / (5.0 * width_of(parameter))))


def _wang(parameter: Parameter) -> Initializer:
    return normal(2.0 / (layers_of(parameter) * math.sqrt(width_of(parameter))))


@dataclass(frozen=True, kw_only=True)
class SmallInit(Recipe):
    """N(0, 2/(5d)), d the model's width; biases 0.

    Attributes
    ----------
    wang : bool
        Whether layers where branches end get N(0, (2/(L√d))²).
    """

    wang: bool = True

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        ends = (Assign(is_output, _wang, optional=True),) if self.wang else ()
        return (
            *NORMALIZATIONS,
            *ends,
            Assign(role("weight", "embedding"), _small),
            *BIASES,
        )


register(
    SmallInit(
        name="small_init",
        formula="N(0, 2/(5d)), branches end with N(0, (2/(L√d))²)",
        cite="1910.05895, section 2.2; GPT-NeoX-20B (2204.06745), section 2.1",
    ),
    aliases=("gpt_neox", "wang"),
)
