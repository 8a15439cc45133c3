"""Operations of a model's run as a graph: kinds, parents, and the parameters that each reads."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"\d+(\.\d+)*")

KINDS = (
    "input",
    "linear",
    "convolution",
    "recurrent",
    "embedding",
    "attention",
    "scores",
    "softmax",
    "activation",
    "norm",
    "residual",
    "add",
    "scale",
    "product",
    "join",
    "pool",
    "loss",
    "other",
)
"""Kinds of operations.

``scores`` are products of queries and keys; ``attention`` is an average of values under a softmax;
``residual`` the sum of a trunk and a branch, ``add`` any other sum; ``scale`` multiplies by a
number, a parameter or a mask, ``product`` by another signal; ``join`` concatenates.
"""

WEIGHTED = ("linear", "convolution")
"""Kinds that multiply a signal by a weight with a fan-in."""


def is_number(path: str) -> bool:
    """Return whether the path of a module consists of numbers: ``"0"``, ``"2.1"``."""
    return _NUMBER.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a run whose result carries the signal.

    Attributes
    ----------
    index : int
        Place in the run, from 0.
    name : str
        Path of the module, for the result of a module without children: ``"blocks.3.fc"``; else
        path and operation: ``"blocks.3: add"``. Later calls end in ``" (2)"`` and so on. Tensors of
        the batch are ``"input"``, ``"input: mask"``.
    module : str
        Path of the innermost module that ran it; ``""`` for the model itself.
    operation : str
        PyTorch's name of the operation: ``"addmm"``.
    kind : str
        One of `KINDS`.
    parents : tuple of int
        Operations whose results it reads, through views, copies and casts; of a residual addition
        the trunk, then the branch.
    shape : tuple of int
        Of the result.
    unit_axis : int
        Axis of the result along which its units or channels lie.
    activation : str
        Name in `initperf.activations.ACTIVATIONS`, or ``""``.
    weight, bias : str
        Names of the parameters in these places, a tied one by its first name, or ``""``.
    parameters : tuple of str
        All parameters that it reads, gates included.
    fan_in, fan_out : int
        Of the weight; for a transposed convolution, its stride divides the fan-in. 0 without a
        weight.
    terms : float
        Mean number of products that an output sums: `fan_in`, less what lies in the padding; of
        ``scores`` the length of a query, of ``attention`` the number of keys.
    factor : float
        Root mean square of what a ``scale`` multiplies by, or of a normalization by stored
        statistics; NaN for others.
    offset : float
        Root mean square of what an ``add`` adds that is no signal: a number, a parameter, a mask.
    epsilon : float
        What a normalization adds to the second moment.
    """

    index: int
    name: str
    module: str
    operation: str
    kind: str
    parents: tuple[int, ...]
    shape: tuple[int, ...]
    unit_axis: int = -1
    activation: str = ""
    weight: str = ""
    bias: str = ""
    parameters: tuple[str, ...] = ()
    fan_in: int = 0
    fan_out: int = 0
    terms: float = 0.0
    factor: float = math.nan
    offset: float = 0.0
    epsilon: float = 0.0

    @property
    def what(self) -> str:
        """Return what it is, in a word or two: ``"linear 784x256"``, ``"relu"``."""
        if self.kind == "linear":
            return f"{self.kind} {self.fan_in}x{self.fan_out}"
        return self.activation or self.kind

    @property
    def described(self) -> str:
        """Return the name for a sentence: ``"fc1"``, but ``"layer 0 (linear 784x256)"``.

        Modules of containers have numbers for names, which alone say little.
        """
        path, space, call = self.name.partition(" ")
        if not is_number(path):
            return self.name
        return f"layer {path} ({self.what}){space}{call}"

    @property
    def units(self) -> int:
        """Return the number of units or channels of the result."""
        return self.shape[self.unit_axis] if self.shape else 1

    @property
    def weighted(self) -> bool:
        """Return whether a weight with a fan-in multiplies a signal here."""
        return self.kind in WEIGHTED and bool(self.weight)


def ancestors(operations: Sequence[Operation], index: int) -> set[int]:
    """Return the operations that one depends on, itself included.

    Parameters
    ----------
    operations : sequence of Operation
        Of one run.
    index : int
        The operation.
    """
    found: set[int] = set()
    waiting = [index]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(operations[each].parents)
    return found


def children(operations: Sequence[Operation]) -> list[list[int]]:
    """Return, for each operation of a run, those that read its result."""
    found: list[list[int]] = [[] for _ in operations]
    for each in operations:
        for parent in each.parents:
            found[parent].append(each.index)
    return found
