"""Llama as torchtitan starts it: the depth of a block divides the layers that end its branches.

torchtitan, ``models/llama3``: embedding N(0, 1); query, key, value and gate 0.02; the output of
attention and the other two layers of the feed-forward network 0.02/√(2(l+1)); head 1/√d cut at 3σ.
torchtitan draws by ``trunc_normal_`` with its default bounds of ±2, which at σ = 0.02 lie at a
hundred standard deviations and cut nothing: ``cut=None`` is what its code does, ``cut=2.0`` what
its text seems to mean.
"""

import math
from dataclasses import dataclass

from initperf.initializers import Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import (
    inverse_root,
    is_head,
    is_output,
    layer_of,
    width_of,
)

_SCALED = frozenset(("w3", "up_proj"))


def _is_scaled(parameter: Parameter) -> bool:
    inside = parameter.layer is not None and parameter.last in _SCALED
    return is_output(parameter) or (parameter.role == "weight" and inside)


@dataclass(frozen=True, kw_only=True)
class Llama(Recipe):
    """The table of torchtitan.

    Attributes
    ----------
    std : float
        Standard deviation of the layers that begin branches.
    cut : float, optional
        Values of these layers beyond so many standard deviations are drawn anew.
    """

    std: float = 0.02
    cut: float | None = None

    def __post_init__(self) -> None:
        self.check_numbers("std", least=0.0)

    def _scaled(self, parameter: Parameter) -> Initializer:
        return normal(self.std / math.sqrt(2.0 * (layer_of(parameter) + 1)), self.cut)

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(_is_scaled, self._scaled, optional=True),
            Assign(is_head, lambda p: normal(inverse_root(width_of(p)), 3.0), optional=True),
            Assign(role("weight"), normal(self.std, self.cut)),
            Assign(role("embedding"), normal(1.0), optional=True),
            *BIASES,
        )


register(
    Llama(
        name="llama",
        formula="N(0, 0.02²); wo, w2, w3 N(0, 0.02²/(2(l+1))); head N(0, 1/d) cut at 3σ",
        cite="torchtitan, models/llama3",
    )
)
