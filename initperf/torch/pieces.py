"""Rectangles of parameters that one rule fills each, made from the rules of recipes."""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from initperf.errors import UnsuitableError
from initperf.initializers import Distribution, Independent, Initializer
from initperf.initializers._parts import Part, as_part, whole
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import KEEP, constant
from initperf.torch.resolve import as_rule


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of a parameter that one rule fills.

    Attributes
    ----------
    part : Part
        The rectangle.
    rule : Initializer
        With the axes of the layer.
    matrix : tuple of int
        Shape that the rule sees: of the rectangle, or of one of the weights packed in it.
    stream : int
        Of independent entries, the parameter's; a rule that draws a weight as a whole has a
        stream for each packed weight.
    """

    part: Part
    rule: Initializer
    matrix: tuple[int, ...]
    stream: int

    @property
    def distribution(self) -> Distribution | None:
        """Return the distribution of an entry; None where entries depend on each other."""
        if not isinstance(self.rule, Independent):
            return None
        return distribution_of(self.rule, self.matrix)


@functools.lru_cache(maxsize=4096)
def distribution_of(rule: Independent, shape: tuple[int, ...]) -> Distribution:
    """Return the distribution of an entry, for a weight of a shape."""
    return rule.distribution_of(shape)


@functools.lru_cache(maxsize=4096)
def theory(rule: Initializer, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Return mean, standard deviation and support of an entry, for a weight of a shape."""
    return rule.mean(shape), rule.std(shape), *rule.support(shape)


def overlap(part: Part, other: Part) -> int:
    """Return how many entries two rectangles share."""
    bounds = zip(part.start, part.lengths, other.start, other.lengths, strict=True)
    return math.prod(max(0, min(a + n, b + m) - max(a, b)) for a, n, b, m in bounds)


def pieces_of(parameter: Parameter, rule: Any, stream: Callable[[str], int]) -> tuple[Piece, ...]:
    """Return what draws a parameter by a rule, one after another.

    Parameters
    ----------
    parameter : Parameter
    rule : str, Initializer or callable
        As `Assign` has it.
    stream : callable
        From a suffix, empty for the parameter itself, to a stream.

    Raises
    ------
    TypeError, ValueError
        When the rule does not apply.
    """
    given = isinstance(rule, (str, Initializer))
    if not given and callable(rule):
        rule = rule(parameter)
        given = isinstance(rule, (str, Initializer))
    if isinstance(rule, str) and rule == KEEP:
        return ()
    if not given and isinstance(rule, Sequence):
        pieces = []
        for slices, each in rule:
            part = as_part(parameter.shape, slices)
            inside = f"[{','.join(f'{p.start}:{p.stop}' for p in part.slices)}]"
            bound = with_axes(as_rule(each, parameter), parameter.axes)
            own = stream("" if isinstance(bound, Independent) else inside)
            pieces.append(Piece(part, bound, part.lengths, own))
        if not _cover(parameter.shape, [piece.part for piece in pieces]):
            raise UnsuitableError(f"the slices of its rules leave some of {parameter.shape} out")
    else:
        pieces = _packed(parameter, as_rule(rule, parameter), stream)
    if parameter.padding is not None:
        row = as_part(parameter.shape, slice(parameter.padding, parameter.padding + 1))
        pieces.append(Piece(row, constant(0.0), row.lengths, stream("")))
    for piece in pieces:
        theory(piece.rule, piece.matrix)
    return tuple(pieces)


def _packed(parameter: Parameter, rule: Initializer, stream: Callable[[str], int]) -> list[Piece]:
    """Return a rule's pieces, each weight that is packed in the parameter on its own."""
    bound = with_axes(rule, parameter.axes) if hasattr(rule, "in_axis") else rule
    shape, matrix = parameter.shape, parameter.matrix
    if 0 in shape:
        return []
    if matrix == shape or isinstance(bound, Independent):
        return [Piece(_whole(shape), bound, matrix, stream(""))]
    count = shape[0] // matrix[0]
    rows = shape[0] // count
    pieces = []
    for i in range(count):
        part = as_part(shape, slice(i * rows, (i + 1) * rows))
        pieces.append(Piece(part, bound, part.lengths, stream(f"[{i}]")))
    return pieces


_whole = functools.lru_cache(maxsize=4096)(whole)
"""Layers of one shape, of which models have many, share their rectangle."""


def _cover(shape: tuple[int, ...], parts: Sequence[Part]) -> bool:
    """Return whether rectangles, which may overlap, cover a shape."""
    bounds = []
    for axis, length in enumerate(shape):
        ends = {0, length}
        for part in parts:
            ends |= {part.start[axis], part.start[axis] + part.lengths[axis]}
        bounds.append(sorted(ends))
    cells = itertools.product(*(itertools.pairwise(ends) for ends in bounds))
    return all(any(overlap(part, Part(shape, *_corner(cell))) for part in parts) for cell in cells)


def _corner(cell: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return first indices and lengths of ranges."""
    return tuple(low for low, _ in cell), tuple(high - low for low, high in cell)


@functools.lru_cache(maxsize=4096)
def with_axes(rule: Initializer, axes: tuple[int, int]) -> Initializer:
    """Return a rule with the input and output axis of a layer, where it has such."""
    if not hasattr(rule, "in_axis"):
        return rule
    return rule.replace(in_axis=axes[0], out_axis=axes[1])
