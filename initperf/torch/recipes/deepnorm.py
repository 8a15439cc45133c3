"""DeepNorm: Glorot's rule, with a smaller gain where signals go through.

Wang, Ma, Dong, Huang, Zhang & Wei, "DeepNet: scaling transformers to 1,000 layers",
arXiv:2203.00555, figure 2: gain β = (8L)^(-1/4) for feed-forward networks, values and outputs of an
encoder or a decoder of L layers, gain 1 for queries and keys. The other half, residual connections
multiplied by α = (2L)^(1/4), is the model's. A layer that packs query, key and value gets gain 1
for two thirds and β for the last.
"""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn

from initperf.initializers import INITIALIZERS, Initializer
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, normal, register, role
from initperf.torch.recipes._transformer import is_query_or_key, layers_of

_PACKED = frozenset(("qkv", "c_attn", "query_key_value", "in_proj"))


def beta(layers: int) -> float:
    """Return the gain of an encoder or a decoder of so many layers."""
    return float((8.0 * layers) ** -0.25)


def _is_packed(parameter: Parameter) -> bool:
    own = isinstance(parameter.module, nn.MultiheadAttention)
    attention = own and parameter.attribute == "in_proj_weight"
    return attention or (parameter.role == "weight" and parameter.last in _PACKED)


def _packed(parameter: Parameter) -> list[tuple[Any, Initializer]]:
    """Return the rules of query, key and value, one after another along the output axis."""
    _, out_axis = parameter.axes
    outputs = parameter.shape[out_axis] // 3
    inputs = parameter.shape[1 - out_axis]
    std = math.sqrt(2.0 / (inputs + outputs))
    gains = (1.0, 1.0, beta(layers_of(parameter)))
    pieces = []
    for i, gain in enumerate(gains):
        cut = slice(i * outputs, (i + 1) * outputs)
        pieces.append(((slice(None),) * out_axis + (cut,), normal(gain * std)))
    return pieces


def _small(parameter: Parameter) -> Initializer:
    return INITIALIZERS["glorot_normal"].replace(gain=beta(layers_of(parameter)))


def _in_block(parameter: Parameter) -> bool:
    return parameter.role == "weight" and parameter.layer is not None


@dataclass(frozen=True, kw_only=True)
class DeepNorm(Recipe):
    """Glorot's normal rule with the gains of DeepNet; embeddings N(0, 1/d)."""

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (
            *NORMALIZATIONS,
            Assign(_is_packed, _packed, optional=True),
            Assign(is_query_or_key, "glorot_normal", optional=True),
            Assign(_in_block, _small),
            Assign(role("weight"), "glorot_normal", optional=True),
            Assign(role("embedding"), lambda p: normal(p.shape[-1] ** -0.5), optional=True),
            *BIASES,
        )


register(
    DeepNorm(
        name="deepnorm",
        formula="N(0, 2g²/(n+m)), g = 1 for q and k, (8L)^(-1/4) for v, outputs and feed-forward",
        cite="Wang et al. 2022 (2203.00555), figure 2",
    ),
    aliases=("deepnet",),
)
