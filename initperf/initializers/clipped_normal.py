"""Normal weights clipped to bounds.

Some documents call this "truncated normal", but values beyond the bounds accumulate on them,
which they do not under truncation. The moments are those of a doubly censored normal variable
(Tobin, "Estimation of relationships for limited dependent variables", Econometrica 26, 1958).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr

from initperf._core.source import Source
from initperf.initializers._distributions import Normal, bell
from initperf.initializers._initializer import Independent, register

_FARTHEST = 40.0


@dataclass(frozen=True)
class Clipped:
    """N(location, scale²), with values beyond [low, high] moved onto the nearer bound.

    Attributes
    ----------
    location, scale : float
        Mean and standard deviation before clipping.
    low, high : float
        The bounds, finite.
    """

    location: float
    scale: float
    low: float
    high: float

    @cached_property
    def _moments(self) -> tuple[float, float]:
        """Return mean and standard deviation."""
        if self.scale == 0.0 or self.low == self.high:
            return min(max(self.location, self.low), self.high), 0.0
        # In standard deviations, relative to the point within the bounds nearest to the mean, so
        # that little cancels; the mass beyond 40 underflows.
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
        """Return None: the bounds have mass."""

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the values; raise ValueError where it cannot."""
        Normal(self.location, self.scale).check(dtype)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array with independent values."""
        Normal(self.location, self.scale).fill(out, source)
        np.clip(out, self.low, self.high, out=out)


@dataclass(frozen=True, kw_only=True)
class ClippedNormal(Independent):
    """N(loc, scale²), with values beyond [low, high] moved onto the nearer bound.

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
        self.check_numbers("loc", "low", "high")
        self.check_numbers("scale", least=0.0)
        if self.low > self.high:
            raise ValueError(f"low must not be above high, and {self.low!r} is above {self.high!r}")

    def distribution_of(self, shape: tuple[int, ...]) -> Clipped:
        """Return the distribution after clipping."""
        return Clipped(self.loc, self.scale, self.low, self.high)


register(
    "clipped_normal",
    ClippedNormal(formula="N(0, 1) moved into ±2", cite="Tobin 1958", in_report=False),
)
