"""T5: fan-in everywhere, the query divided by the root of a head's width as well.

Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text transformer",
arXiv:1910.10683, as Mesh TensorFlow and transformers draw it: attention has no 1/√d_k of its own,
so the query's weights carry it.
"""

import math
from dataclasses import dataclass

from initperf.errors import UnsuitableError
from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import inverse_root, is_query, width_of


@dataclass(frozen=True, kw_only=True)
class T5(Recipe):
    """N(0, 1/n); query N(0, 1/(n d_k)); embeddings and head N(0, 1); position biases N(0, 1/d).

    Attributes
    ----------
    head_width : int, optional
        The width d_k of an attention head; by default what the attention's module says.
    """

    head_width: int | None = None

    def _query(self, parameter: Parameter) -> Initializer:
        attention = parameter.parents[-2]
        head = self.head_width or getattr(attention, "key_value_proj_dim", None)
        if not head:
            raise UnsuitableError(
                f"{parameter.name}: nothing tells the width of a head; give head_width="
            )
        return normal(1.0 / math.sqrt(parameter.fans[0] * head))

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(
                "*relative_attention_bias.weight",
                lambda p: normal(inverse_root(width_of(p))),
                optional=True,
            ),
            Assign(role("embedding"), normal(1.0), optional=True),
            Assign("*lm_head.weight", normal(1.0), optional=True),
            Assign(is_query, self._query),
            Assign(role("weight"), lambda p: normal(inverse_root(p.fans[0])), optional=True),
            *BIASES,
        )


register(
    T5(
        name="t5",
        formula="N(0, 1/n), query N(0, 1/(n d_k)), embeddings N(0, 1)",
        cite="Raffel et al. 2019 (1910.10683); transformers",
    )
)
