"""The table of a recipe applied to a model: which parameter gets which rule, and its moments."""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from initperf.errors import UnsuitableError
from initperf.initializers import (
    Distribution,
    Independent,
    Initializer,
    Normal,
    Point,
    TruncatedNormal,
    Uniform,
)
from initperf.initializers._parts import Part, as_part, whole
from initperf.initializers.clipped_normal import Clipped
from initperf.torch.names import stream_of
from initperf.torch.parameters import Parameter, parameters
from initperf.torch.recipe import KEEP, Assign, as_recipe, as_rule, constant

_NAMED = 8
"""Names that an error lists; the rest is counted."""


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
        return _distribution(self.rule, self.matrix)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan says of one parameter.

    Attributes
    ----------
    parameter : Parameter
    pieces : tuple of Piece
        Drawn one after another; of a parameter that is kept, none.
    stream : int
    """

    parameter: Parameter
    pieces: tuple[Piece, ...]
    stream: int

    @property
    def rule(self) -> str:
        """Return the rule in a few characters: ``"N(0, 0.02²)"``."""
        if not self.pieces:
            return KEEP
        texts = [describe(piece.rule, piece.matrix) for piece in self.pieces]
        return "; ".join(dict.fromkeys(texts))

    def moments(self) -> tuple[float, float]:
        """Return mean and standard deviation over all entries and draws; NaN if kept."""
        shares = self._shares()
        total = sum(share for share, _ in shares)
        if not total:
            return math.nan, math.nan
        if len(shares) == 1:
            (_, piece), *_ = shares
            mean, std, *_ = _theory(piece.rule, piece.matrix)
            return mean, std
        mean = square = 0.0
        for share, piece in shares:
            m, s, *_ = _theory(piece.rule, piece.matrix)
            mean += share * m / total
            square += share * (m * m + s * s) / total
        return mean, math.sqrt(max(0.0, square - mean * mean))

    def support(self) -> tuple[float, float]:
        """Return the smallest closed interval that holds every entry; NaN twice if kept."""
        intervals = [_theory(piece.rule, piece.matrix)[2:] for _, piece in self._shares()]
        if not intervals:
            return math.nan, math.nan
        return min(low for low, _ in intervals), max(high for _, high in intervals)

    def _shares(self) -> list[tuple[int, Piece]]:
        """Return how many entries each piece gives, what later ones overwrite not counted."""
        shares: list[tuple[int, Piece]] = []
        for i, piece in enumerate(self.pieces):
            over = [_overlap(piece.part, later.part) for later in self.pieces[i + 1 :]]
            share = math.prod(piece.part.lengths) - sum(over)
            shares += [(share, piece)] if share > 0 else []
        return shares

    def record(self) -> dict[str, Any]:
        """Return the row of the table."""
        parameter = self.parameter
        inputs, outputs = parameter.fans if len(parameter.shape) > 1 else (None, None)
        (mean, std), (low, high) = self.moments(), self.support()
        return {
            "name": parameter.name,
            "role": parameter.role,
            "shape": parameter.shape,
            "fan_in": inputs,
            "fan_out": outputs,
            "rule": self.rule,
            "mean": mean,
            "std": std,
            "low": low,
            "high": high,
            "stream": self.stream,
        }


def _overlap(part: Part, other: Part) -> int:
    bounds = zip(part.start, part.lengths, other.start, other.lengths, strict=True)
    return math.prod(max(0, min(a + n, b + m) - max(a, b)) for a, n, b, m in bounds)


@functools.lru_cache(maxsize=4096)
def _distribution(rule: Independent, shape: tuple[int, ...]) -> Distribution:
    return rule.distribution_of(shape)


@functools.lru_cache(maxsize=4096)
def _theory(rule: Initializer, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Return mean, standard deviation and support."""
    return rule.mean(shape), rule.std(shape), *rule.support(shape)


@functools.lru_cache(maxsize=4096)
def describe(rule: Initializer, shape: tuple[int, ...]) -> str:
    """Return a rule in a few characters, for a weight of a shape."""
    if not isinstance(rule, Independent):
        gain = getattr(rule, "gain", 1.0)
        return rule.family if gain == 1.0 else f"{gain:.4g} {rule.family}"
    entry = _distribution(rule, shape)
    if isinstance(entry, Point):
        return f"{entry.value:.4g}"
    if isinstance(entry, Uniform):
        return f"U({entry.low:.4g}, {entry.high:.4g})"
    if isinstance(entry, Normal):
        return f"N({entry.mean:.4g}, {entry.std:.4g}²)"
    if isinstance(entry, (TruncatedNormal, Clipped)):
        verb = "moved" if isinstance(entry, Clipped) else "cut"
        bounds = f"[{entry.low:.4g}, {entry.high:.4g}]"
        return f"N({entry.location:.4g}, {entry.scale:.4g}²) {verb} to {bounds}"
    return rule.family


@dataclass(frozen=True)
class Plan:
    """A recipe applied to a model.

    Attributes
    ----------
    rows : tuple of Planned
        One a parameter, in the order of ``model.parameters()``.
    """

    rows: tuple[Planned, ...]

    def __iter__(self) -> Iterator[Planned]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries, for a DataFrame."""
        return [row.record() for row in self.rows]

    def __str__(self) -> str:
        columns = ("name", "role", "shape", "rule", "mean", "std", "stream")
        table = [columns]
        for record in self.records():
            shape = "x".join(map(str, record["shape"])) or "()"
            numbers = f"{record['mean']:.4g}", f"{record['std']:.4g}", f"{record['stream']:016x}"
            table.append((record["name"], record["role"], shape, record["rule"], *numbers))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        )


def plan(
    model: nn.Module,
    recipe: Any,
    *,
    streams: str = "name",
    keep: str | Sequence[str] = (),
    **options: Any,
) -> Plan:
    """Return what `init_` would do to a model, before a value is drawn.

    Parameters
    ----------
    model : torch.nn.Module
        On any device, ``meta`` too.
    recipe, keep, **options
        As `init_` takes them.
    streams : str
        ``"name"`` or ``"position"``; see `init_`.

    Returns
    -------
    Plan
        Its ``str`` is a table; ``records()`` gives rows for a DataFrame.

    Raises
    ------
    UnsuitableError
        When no rule covers a parameter, a pattern matches nothing, a rule does not apply, or two
        names have one stream; it names them.

    Examples
    --------
    >>> import torch, initperf.torch
    >>> print(initperf.torch.plan(torch.nn.Linear(64, 8), "he_normal"))
    name    role    shape  rule           mean  std     stream
    weight  weight  8x64   N(0, 0.1768²)  0     0.1768  4aac500442ff67c9
    bias    bias    8      0              0     0       c2538eb0671fc81d
    """
    if streams not in ("name", "position"):
        raise ValueError(f"streams must be 'name' or 'position', not {streams!r}")
    chosen = as_recipe(recipe, options)
    patterns = (keep,) if isinstance(keep, str) else tuple(keep)
    assignments = (*(Assign(pattern, KEEP) for pattern in patterns), *chosen.assignments())
    found = parameters(model)
    number = _streams(found, streams)
    tests = [assignment.matches() for assignment in assignments]
    rows, used, uncovered, errors = [], set[int](), [], []
    for parameter in found:
        for index, test in enumerate(tests):  # noqa: B007
            if test(parameter):
                break
        else:
            uncovered.append(f"{parameter.name} {parameter.shape}")
            continue
        used.add(index)
        try:
            pieces = _pieces(parameter, assignments[index].rule, number(parameter))
        except (ValueError, TypeError) as error:
            text = str(error)
            named = text.startswith(f"{parameter.name}: ")
            errors.append(text if named else f"{parameter.name}: {text}")
            continue
        rows.append(Planned(parameter, pieces, number(parameter)("")))
    _complain(found, assignments, used, uncovered, errors)
    return Plan(tuple(rows))


def _streams(found: list[Parameter], streams: str) -> Callable[[Parameter], Callable[[str], int]]:
    """Return what gives the streams of a parameter and of what is packed in it."""
    if streams == "position":

        def by_position(parameter: Parameter) -> Callable[[str], int]:
            position = parameter.position
            return lambda inside: stream_of(f"{position}{inside}") if inside else position

        return by_position
    names: dict[int, str] = {}
    for parameter in found:
        other = names.setdefault(stream_of(parameter.name), parameter.name)
        if other != parameter.name:
            raise UnsuitableError(
                f"{parameter.name} and {other} have one stream, so they would be drawn alike: "
                "rename one of them, or draw with streams='position'"
            )
    return lambda parameter: lambda inside: stream_of(parameter.name + inside)


def _complain(
    found: list[Parameter],
    assignments: tuple[Assign, ...],
    used: set[int],
    uncovered: list[str],
    errors: list[str],
) -> None:
    if errors:
        raise UnsuitableError(_some(errors, "; "))
    if uncovered:
        raise UnsuitableError(
            f"no rule covers {_some(uncovered)}: add one to the recipe, or name what shall stay "
            "as it is in keep="
        )
    idle = [str(a) for i, a in enumerate(assignments) if i not in used and not a.optional]
    if idle:
        names = [parameter.name for parameter in found]
        raise UnsuitableError(
            f"{_some(idle)} of the recipe decides about no parameter of this model, which has "
            f"{_some(names) if names else 'none'}"
        )


def _some(items: list[str], between: str = ", ") -> str:
    more = f"{between}and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return between.join(items[:_NAMED]) + more


def _pieces(parameter: Parameter, rule: Any, stream: Callable[[str], int]) -> tuple[Piece, ...]:
    if not isinstance(rule, (str, Initializer)) and callable(rule):
        rule = rule(parameter)
    if isinstance(rule, str) and rule == KEEP:
        return ()
    if not isinstance(rule, (str, Initializer)) and isinstance(rule, Sequence):
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
        _theory(piece.rule, piece.matrix)
    return tuple(pieces)


def _cover(shape: tuple[int, ...], parts: Sequence[Part]) -> bool:
    """Return whether rectangles, which may overlap, cover a shape."""
    bounds = []
    for axis, length in enumerate(shape):
        ends = {0, length}
        for part in parts:
            ends |= {part.start[axis], part.start[axis] + part.lengths[axis]}
        bounds.append(sorted(ends))
    cells = itertools.product(*(itertools.pairwise(ends) for ends in bounds))
    return all(any(_overlap(part, Part(shape, *_corner(cell))) for part in parts) for cell in cells)


def _corner(cell: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return first indices and lengths of ranges."""
    return tuple(low for low, _ in cell), tuple(high - low for low, high in cell)


def _packed(parameter: Parameter, rule: Initializer, stream: Callable[[str], int]) -> list[Piece]:
    """Return a rule's pieces, each weight that is packed in the parameter on its own."""
    bound = with_axes(rule, parameter.axes) if hasattr(rule, "in_axis") else rule
    shape, matrix = parameter.shape, parameter.matrix
    if 0 in shape:
        return []
    if matrix == shape or isinstance(bound, Independent):
        return [Piece(whole(shape), bound, matrix, stream(""))]
    count = shape[0] // matrix[0]
    rows = shape[0] // count
    pieces = []
    for i in range(count):
        part = as_part(shape, slice(i * rows, (i + 1) * rows))
        pieces.append(Piece(part, bound, part.lengths, stream(f"[{i}]")))
    return pieces


@functools.lru_cache(maxsize=4096)
def with_axes(rule: Initializer, axes: tuple[int, int]) -> Initializer:
    """Return a rule with the input and output axis of a layer, where it has such."""
    if not hasattr(rule, "in_axis"):
        return rule
    return rule.replace(in_axis=axes[0], out_axis=axes[1])
