"""One call of a PyTorch operation, with its operands told apart by where they come from."""

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch

from initperf.torch.signals.origins import Origin, Origins

COPIES = (
    *("alias", "clone", "detach", "lift_fresh", "reshape_copy"),
    *("to_copy", "unsafe_view", "view_copy"),
)
"""Beginnings of the names of operations that return the values of an operand, in any dtype."""

MAKERS = (
    *("empty", "new_", "zeros", "ones", "full", "rand", "normal", "uniform", "bernoulli"),
    *("arange", "linspace", "scalar_tensor", "fill"),
)
"""Beginnings of the names of operations whose results do not depend on an operand's values."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A floating-point tensor that an operation reads.

    Attributes
    ----------
    tensor : torch.Tensor
    origin : Origin
    """

    tensor: torch.Tensor
    origin: Origin

    @property
    def signal(self) -> bool:
        """Return whether it holds results of operations."""
        return bool(self.origin.operations)

    @property
    def own(self) -> bool:
        """Return whether it holds a parameter, or what is computed from parameters alone."""
        return not self.signal and bool(self.origin.parameters)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an operation.

    Attributes
    ----------
    operation : str
        PyTorch's name without underscores at its ends: ``"addmm"``.
    given : dict
        Arguments by name.
    operands : tuple of Operand
        In the order of the arguments, those in lists included.
    """

    operation: str
    given: dict[str, Any]
    operands: tuple[Operand, ...]

    def operand(self, name: str) -> Operand | None:
        """Return the operand that an argument gives; None where it is no such tensor."""
        value = self.given.get(name)
        return next((each for each in self.operands if each.tensor is value), None)

    @property
    def signals(self) -> list[Operand]:
        """Return the operands that carry a signal."""
        return [each for each in self.operands if each.signal]


def call_of(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], known: Origins) -> Call:
    """Return the record of a call.

    Parameters
    ----------
    function : OpOverload
        As a dispatch mode gets it.
    args, kwargs : tuple and dict
        Its arguments.
    known : Origins
        Of the run.
    """
    name, names = signature(function)
    given = dict(zip(names, args, strict=False)) | kwargs
    operands = tuple(
        Operand(x, known.of(x)) for x in tensors((args, kwargs)) if x.is_floating_point()
    )
    return Call(name, given, operands)


@functools.lru_cache(maxsize=4096)
def signature(function: Any) -> tuple[str, tuple[str, ...]]:
    """Return PyTorch's name of an operation without underscores at its ends, and its arguments'.

    Parameters
    ----------
    function : OpOverload
        As a dispatch mode gets it.
    """
    schema = function._schema
    name = schema.name.rpartition("::")[2].strip("_")
    return name, tuple(argument.name for argument in schema.arguments)


def is_view(function: Any) -> bool:
    """Return whether an operation gives a view of its operand."""
    alias = _alias(function)
    return alias is not None and not alias.is_write


def is_in_place(function: Any) -> bool:
    """Return whether an operation gives an operand that it has written to."""
    alias = _alias(function)
    return alias is not None and bool(alias.is_write)


def _alias(function: Any) -> Any:
    returned = function._schema.returns
    return returned[0].alias_info if returned else None


def tensors(found: Any) -> Iterator[torch.Tensor]:
    """Visit the tensors in nested tuples, lists, mappings and dataclasses."""
    if isinstance(found, torch.Tensor):
        yield found
    elif isinstance(found, Mapping):
        for each in found.values():
            yield from tensors(each)
    elif isinstance(found, (tuple, list)):
        for each in found:
            yield from tensors(each)
    elif is_dataclass(found) and not isinstance(found, type):
        for field in fields(found):
            yield from tensors(getattr(found, field.name))


def root_mean_square(x: torch.Tensor) -> float:
    """Return the root mean square of a tensor, in float64 for halves and float32 alike."""
    if x.numel() == 0:
        return math.nan
    return float(torch.linalg.vector_norm(x.detach(), dtype=torch.float64)) / math.sqrt(x.numel())
