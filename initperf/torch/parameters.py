"""The parameters of a module as rules see them: name, role, axes, fans, place in the model."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.rnn import RNNCellBase

from initperf.errors import UnsuitableError
from initperf.torch.names import adds_prefix, join

ROLES = ("weight", "embedding", "bias", "norm", "slope", "other")
"""Linear and convolutional weights; tables that are looked up; biases, those of normalizations
included; the gains of normalizations; the slopes of PReLU; whatever its module does not tell."""

NORMALIZATIONS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
RECURRENT = (nn.RNNBase, RNNCellBase)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a model.

    Attributes
    ----------
    name : str
        Qualified name, without the prefixes of wrappers; of tied parameters, the first.
    aliases : tuple of str
        The other names of a tied parameter.
    tensor : torch.Tensor
        The parameter itself.
    parents : tuple of torch.nn.Module
        The modules that hold it, the model first and its own module last.
    attribute : str
        Its name in its own module.
    role : str
        One of `ROLES`.
    position : int
        Its place among ``model.parameters()``.
    layer, layers : int or None
        The index of its block, from 0, and the number of blocks; None outside of blocks. Blocks
        are the children of the outermost ``ModuleList``, of a ``ModuleDict`` with numbers for
        keys, or of a ``Sequential`` all of whose children are modules of one class with children.
    width : int or None
        The model's width: the length of a row of its first embedding or, without one, of its
        first normalization.
    """

    name: str
    aliases: tuple[str, ...]
    tensor: torch.Tensor
    parents: tuple[nn.Module, ...]
    attribute: str
    role: str
    position: int
    layer: int | None
    layers: int | None
    width: int | None

    @property
    def module(self) -> nn.Module:
        """Return the module that holds it."""
        return self.parents[-1]

    @property
    def shape(self) -> tuple[int, ...]:
        """Return its shape; of a sharded parameter, the shape of the whole."""
        return tuple(self.tensor.shape)

    @property
    def last(self) -> str:
        """Return the name of its module within that module's parent: ``"wo"``."""
        parts = self.name.split(".")
        return parts[-2] if len(parts) > 1 else ""

    @property
    def is_normalization(self) -> bool:
        """Return whether it belongs to a normalization, as its gain or its bias."""
        return isinstance(self.module, NORMALIZATIONS) or "Norm" in type(self.module).__name__

    @property
    def axes(self) -> tuple[int, int]:
        """Return the input axis and the output axis."""
        module = self.module
        # transformers' Conv1D is a linear layer whose weight is (inputs, outputs)
        transposed = isinstance(module, _ConvTransposeNd) or type(module).__name__ == "Conv1D"
        return (0, 1) if transposed else (1, 0)

    @property
    def recurrent(self) -> bool:
        """Return whether it multiplies results of a recurrent layer, inside of the module."""
        first = self.attribute == "weight_ih" or self.attribute.startswith("weight_ih_l0")
        return isinstance(self.module, RECURRENT) and self.role == "weight" and not first

    @property
    def packed(self) -> int:
        """Return how many weights of their own lie one after another along axis 0.

        The gates of a recurrent layer, the query, key and value of an attention that packs them,
        and the groups of a convolution.
        """
        if self.role not in ("weight", "bias"):
            return 1
        module = self.parents[-1]
        if isinstance(module, nn.Linear):
            return 1
        if isinstance(module, _ConvNd):
            return int(module.groups) if self.role == "weight" else 1
        if isinstance(module, nn.MultiheadAttention) and self.attribute.startswith("in_proj_"):
            return 3
        if isinstance(module, RECURRENT) and not self.attribute.startswith("weight_hr"):
            return int(self.shape[0] // module.hidden_size)
        return 1

    @property
    def matrix(self) -> tuple[int, ...]:
        """Return the shape of one of the weights that are packed in it."""
        shape, count = self.shape, self.packed
        return shape if count == 1 else (shape[0] // count, *shape[1:])

    @property
    def fans(self) -> tuple[int, int]:
        """Return fan-in and fan-out of one packed weight.

        Raises
        ------
        ValueError
            For fewer than two axes.
        """
        shape = self.matrix
        if len(shape) < 2:
            raise ValueError(f"shape {shape} has no fan-in: that takes two axes")
        inputs, outputs = (shape[axis] for axis in self.axes)
        field = math.prod(shape[2:])
        return inputs * field, outputs * field

    @property
    def padding(self) -> int | None:
        """Return the row of an embedding that stays zero."""
        return self.module.padding_idx if isinstance(self.module, EMBEDDINGS) else None


@dataclass(slots=True)
class _Place:
    """Where a walk through a model stands."""

    module: nn.Module
    name: str
    parents: tuple[nn.Module, ...]
    layer: int | None
    layers: int | None


def parameters(model: nn.Module) -> list[Parameter]:
    """Return the parameters of a model in the order of ``model.parameters()``, tied ones once.

    Raises
    ------
    UnsuitableError
        For a parameter that has no shape yet.
    """
    found: dict[int, tuple[_Place, str, torch.Tensor]] = {}
    names: dict[int, list[str]] = {}
    for place in _walk(model):
        for attribute, tensor in place.module._parameters.items():
            if tensor is not None:
                if nn.parameter.is_lazy(tensor):
                    name = join(place.name, attribute)
                    raise UnsuitableError(f"{name}: it has no shape before the first call")
                found.setdefault(id(tensor), (place, attribute, tensor))
                names.setdefault(id(tensor), []).append(join(place.name, attribute))
    roles = {key: _role(place.module, name, x) for key, (place, name, x) in found.items()}
    width = _width([(roles[key], tensor) for key, (_, _, tensor) in found.items()])
    return [
        Parameter(
            name=names[key][0],
            aliases=tuple(dict.fromkeys(names[key][1:])),
            tensor=tensor,
            parents=place.parents,
            attribute=attribute,
            role=roles[key],
            position=position,
            layer=place.layer,
            layers=place.layers,
            width=width,
        )
        for position, (key, (place, attribute, tensor)) in enumerate(found.items())
    ]


def _walk(model: nn.Module) -> Iterator[_Place]:
    """Visit the modules of a model in the order of ``model.modules()``, shared ones each time."""
    waiting = [_Place(model, "", (model,), None, None)]
    while waiting:
        place = waiting.pop()
        yield place
        module = place.module
        if not module._modules:
            continue
        children = [(name, child) for name, child in module._modules.items() if child is not None]
        numbered = place.layers is None and _holds_blocks(module, children)
        found = []
        for index, (name, child) in enumerate(children):
            path = place.name if adds_prefix(module, name) else join(place.name, name)
            layer, layers = (index, len(children)) if numbered else (place.layer, place.layers)
            found.append(_Place(child, path, (*place.parents, child), layer, layers))
        waiting += reversed(found)


def _holds_blocks(module: nn.Module, children: list[tuple[str, nn.Module]]) -> bool:
    if not children:
        return False
    if isinstance(module, nn.ModuleDict):
        return all(name.isdecimal() for name, _ in children)
    if isinstance(module, nn.Sequential):
        kind = type(children[0][1])
        return all(type(child) is kind and child._modules for _, child in children)
    return isinstance(module, nn.ModuleList)


def _role(module: nn.Module, attribute: str, tensor: torch.Tensor) -> str:
    kind: Any = type(module)
    by_name = _role_by_name(kind, attribute)
    return "other" if by_name == "weight" and tensor.ndim < 2 else by_name


@functools.lru_cache(maxsize=4096)
def _role_by_name(kind: type[nn.Module], attribute: str) -> str:
    if issubclass(kind, nn.PReLU):
        return "slope"
    if issubclass(kind, NORMALIZATIONS) or "Norm" in kind.__name__:
        roles = {"weight": "norm", "scale": "norm", "gamma": "norm", "beta": "bias"}
        return roles.get(attribute, "bias" if attribute == "bias" else "other")
    if issubclass(kind, EMBEDDINGS):
        return "embedding"
    if attribute == "bias" or attribute.endswith("_bias") or attribute.startswith("bias_"):
        return "bias"
    if attribute == "weight" or attribute.endswith("_weight") or attribute.startswith("weight_"):
        return "weight"
    return "other"


def _width(found: list[tuple[str, torch.Tensor]]) -> int | None:
    for role in ("embedding", "norm"):
        for each, tensor in found:
            if each == role:
                return int(tensor.shape[-1])
    return None
