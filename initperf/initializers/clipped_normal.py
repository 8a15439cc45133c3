"""Normal weights moved onto bounds where they lie beyond them.

The documents' "truncated normal": what falls outside piles up on the bounds, which truncation
does not do. Its moments are those of a doubly censored normal variable (Tobin, "Estimation of
relationships for limited dependent variables", Econometrica 26, 1958).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr

from initperf._core.arguments import finite, not_negative
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import Normal, bell

_FARTHEST = 40.0


@dataclass(frozen=True)
class Clipped:
    """N(location, scale^2), with what is beyond [low, high] on the nearer bound."""

    location: float
    scale: float
    low: float
    high: float

    @cached_property
    def _moments(self) -> tuple[float, float]:
        """Return mean and standard deviation."""
        if self.scale == 0.0 or self.low == self.high:
            return min(max(self.location, self.low), self.high), 0.0
        # In standard deviations, from the point within the bounds that is nearest to the mean, so
        # that little cancels; beyond 40 there is nothing that float64 could tell from no mass.
        bounds = (np.array([self.low, self.high]) - self.location) / self.scale
        ends = np.clip(bounds, -_FARTHEST, _FARTHEST)
        origin = float(np.clip(0.0, *ends))
        (low, high), (at_low, at_high) = ends, bell(ends)
        below, above = ndtr(low), ndtr(-high)
        inside = 1.0 - below - above
        slope = at_low - at_high
        mean = (low - origin) * below + (high - origin) * above + slope - origin * inside
        square = (low - origin) ** 2 * below + (high - origin) ** 2 * above
        square += (1.0 + origin**2) * inside + low * at_low - high * at_high - 2.0 * origin * slope
        middle = min(max(self.location, self.low), self.high)
        std = math.sqrt(max(float(square - mean**2), 0.0))
        return middle + self.scale * float(mean), self.scale * std

    @property
    def mean(self) -> float:
        """Return the mean after clipping."""
        return self._moments[0]

    @property
    def std(self) -> float:
        """Return the standard deviation after clipping."""
        return self._moments[1]

    @property
    def support(self) -> tuple[float, float]:
        """Return the bounds, or the one value there is when scale is 0."""
        return (self.low, self.high) if self.scale else (self.mean, self.mean)

    def density(self, x: np.ndarray) -> None:
        """Return None: the bounds have mass of their own."""

    def fill(self, out: np.ndarray, **source: Any) -> None:
        """Fill `out` with independent values."""
        Normal(self.location, self.scale).fill(out, **source)
        np.clip(out, self.low, self.high, out=out)


@dataclass(frozen=True, kw_only=True)
class ClippedNormal(Independent):
    """N(loc, scale^2), with values beyond [low, high] moved onto the nearer bound.

    Attributes
    ----------
    loc, scale : float
        Mean and standard deviation before clipping.
    low, high : float
        The bounds, finite.
    """

    loc: float = 0.0
    scale: float = 1.0
    low: float = -2.0
    high: float = 2.0

    def __post_init__(self) -> None:
        finite(loc=self.loc, low=self.low, high=self.high)
        not_negative(scale=self.scale)
        if self.low > self.high:
            raise ValueError(f"low must not be above high, and {self.low!r} is above {self.high!r}")

    def law(self, shape: tuple[int, ...]) -> Clipped:
        """Return the law after clipping."""
        return Clipped(float(self.loc), float(self.scale), float(self.low), float(self.high))


register(
    "clipped_normal",
    ClippedNormal(formula="N(0, 1) moved into ±2", cite="Tobin 1958", in_report=False),
)
