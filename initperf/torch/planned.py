"""Rows of a plan, and the table that they make."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from initperf.initializers import Independent, Initializer, Normal, Point, TruncatedNormal, Uniform
from initperf.initializers.clipped_normal import Clipped
from initperf.torch.parameters import Parameter
from initperf.torch.pieces import Piece, distribution_of, overlap, theory
from initperf.torch.recipe import KEEP


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
            mean, std, *_ = theory(piece.rule, piece.matrix)
            return mean, std
        mean = square = 0.0
        for share, piece in shares:
            m, s, *_ = theory(piece.rule, piece.matrix)
            mean += share * m / total
            square += share * (m * m + s * s) / total
        return mean, math.sqrt(max(0.0, square - mean * mean))

    def support(self) -> tuple[float, float]:
        """Return the smallest closed interval that holds every entry; NaN twice if kept."""
        intervals = [theory(piece.rule, piece.matrix)[2:] for _, piece in self._shares()]
        if not intervals:
            return math.nan, math.nan
        return min(low for low, _ in intervals), max(high for _, high in intervals)

    def _shares(self) -> list[tuple[int, Piece]]:
        """Return how many entries each piece gives, what later ones overwrite not counted."""
        shares: list[tuple[int, Piece]] = []
        for i, piece in enumerate(self.pieces):
            over = [overlap(piece.part, later.part) for later in self.pieces[i + 1 :]]
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


@functools.lru_cache(maxsize=4096)
def describe(rule: Initializer, shape: tuple[int, ...]) -> str:
    """Return a rule in a few characters, for a weight of a shape."""
    if not isinstance(rule, Independent):
        gain = getattr(rule, "gain", 1.0)
        return rule.family if gain == 1.0 else f"{gain:.4g} {rule.family}"
    entry = distribution_of(rule, shape)
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
