"""PyTorch's own defaults, for every class of ``torch.nn`` that has parameters.

Read off the ``reset_parameters`` of PyTorch 2.13: linear, bilinear and convolutional layers draw
from U(±1/√k), where k is the number of entries of ``weight[0]``, the fan-in of all but bilinear
layers (the length of their first input) and transposed convolutions (the outputs of a group times
the field). Recurrent layers draw everything from U(±1/√hidden). ``nn.Transformer``, though not its
layers used alone, draws all its weights by Glorot's rule.
"""

import math
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.conv import _ConvNd

from initperf.initializers import INITIALIZERS, Initializer
from initperf.torch.parameters import RECURRENT, Parameter
from initperf.torch.recipe import (
    NORMALIZATIONS,
    Assign,
    Recipe,
    normal,
    register,
    role,
    uniform,
)


def layer(parameter: Parameter) -> Initializer:
    """Return U(±1/√k) for a weight or a bias of a linear, bilinear or convolutional layer."""
    weight = parameter.module.weight
    entries = weight.shape[1] if isinstance(parameter.module, nn.Bilinear) else weight[0].numel()
    return uniform(1.0 / math.sqrt(entries) if entries else 0.0)


def recurrent(parameter: Parameter) -> Initializer:
    """Return U(±1/√hidden) for anything in a recurrent layer."""
    return uniform(1.0 / math.sqrt(parameter.module.hidden_size))


def glorot(parameter: Parameter) -> Initializer:
    """Return Glorot's uniform rule with the fans of the whole tensor, as torch counts them."""
    shape = parameter.shape
    field = math.prod(shape[2:])
    return uniform(math.sqrt(6.0 / ((shape[0] + shape[1]) * field)))


def _attention_row(parameter: Parameter) -> Initializer:
    """Return Glorot's normal rule for ``bias_k`` and ``bias_v``, of shape (1, 1, width)."""
    return normal(1.0 / math.sqrt(parameter.shape[-1]))


def in_transformer(parameter: Parameter) -> bool:
    """Return whether a parameter of two axes or more belongs to an ``nn.Transformer``."""
    inside = any(isinstance(parent, nn.Transformer) for parent in parameter.parents)
    return inside and len(parameter.shape) > 1


def _attention(parameter: Parameter) -> bool:
    return isinstance(parameter.module, nn.MultiheadAttention)


def _of_attention(parameter: Parameter) -> bool:
    """Return whether it is the bias of an attention's output."""
    parents = parameter.parents
    return len(parents) > 1 and isinstance(parents[-2], nn.MultiheadAttention)


def _layer_class(parameter: Parameter) -> bool:
    return isinstance(parameter.module, (nn.Linear, nn.Bilinear, _ConvNd))


def _recurrent_class(parameter: Parameter) -> bool:
    return isinstance(parameter.module, RECURRENT)


@dataclass(frozen=True, kw_only=True)
class PyTorch(Recipe):
    """What ``reset_parameters`` of each class draws."""

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules, class by class."""
        return (
            Assign(in_transformer, glorot, optional=True),
            *NORMALIZATIONS,
            Assign(_recurrent_class, recurrent, optional=True),
            Assign((_attention, "*bias_[kv]"), _attention_row, optional=True),
            Assign((_attention, role("bias")), "zeros", optional=True),
            Assign(_attention, glorot, optional=True),
            Assign((_of_attention, role("bias")), "zeros", optional=True),
            Assign(role("embedding"), INITIALIZERS["normal"].replace(scale=1.0), optional=True),
            Assign(_layer_class, layer, optional=True),
        )


register(
    PyTorch(
        name="pytorch",
        formula="U(±1/√n) for weights and biases of layers, N(0, 1) for embeddings",
        cite="PyTorch 2.13, reset_parameters",
    ),
    aliases=("torch",),
)
