"""Distributions that independent weights are drawn from, with their moments and densities."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from initperf._core.arrays import DTYPES
from initperf._core.quadrature import normal_moments
from initperf._core.source import Source
from initperf.initializers._filling import fill
from initperf.kernels.fill_truncated_normal import masses

_FARTHEST = 12.0
"""Standard deviations from the mean that no normal value drawn exceeds: 8.57 is the most."""

_LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in DTYPES}
_SMALLEST = {dtype: float(np.finfo(dtype).smallest_normal) for dtype in DTYPES}
_UNIFORM_STEP = {np.dtype("float32"): 2.0**-24, np.dtype("float64"): 1.0}
"""Least step of a uniform draw as a fraction of the width; in float64, fractions are exact."""


class Distribution(Protocol):
    """Distribution of a single weight."""

    @property
    def mean(self) -> float:
        """Return the expectation."""

    @property
    def std(self) -> float:
        """Return the standard deviation."""

    @property
    def support(self) -> tuple[float, float]:
        """Return the smallest closed interval that holds every value."""

    def density(self, x: np.ndarray) -> np.ndarray | None:
        """Return the probability density at `x`; None for a distribution without one."""

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the values; raise ValueError where it cannot."""

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill an array whose dtype has been checked with independent values.

        Parameters
        ----------
        out : numpy.ndarray
            Any shape and layout, float32 or float64.
        source : Source
            Source of the values, in C order.
        """


def check_range(dtype: np.dtype, **values: float) -> None:
    """Check that a dtype can hold magnitudes.

    Parameters
    ----------
    dtype : numpy.dtype
        float32 or float64.
    **values : float
        Numbers, by their names for the error message.

    Raises
    ------
    ValueError
        Naming the first that is too large.
    """
    largest = _LARGEST[dtype]
    for name, value in values.items():
        if abs(value) > largest:
            raise ValueError(f"the {name}, {value:g}, is more than {dtype} can hold")


def check_resolution(dtype: np.dtype, finest: float, **scales: float) -> None:
    """Check that a dtype resolves the scales of a distribution.

    Below its smallest normal number a dtype has fewer digits: values of such a scale would be
    constant, or of another distribution.

    Parameters
    ----------
    dtype : numpy.dtype
        float32 or float64.
    finest : float
        The smallest part of a scale that the arithmetic of a draw needs, as a fraction of it.
    **scales : float
        Numbers of at least 0, by their names for the error message; 0 is a constant.

    Raises
    ------
    ValueError
        Naming the first that is too small.
    """
    for name, value in scales.items():
        if 0.0 < value * finest < _SMALLEST[dtype]:
            raise ValueError(
                f"the {name}, {value:g}, must be 0 or at least {_SMALLEST[dtype] / finest:g} "
                f"in {dtype}"
            )


@dataclass(frozen=True)
class Point:
    """All mass on one value.

    Attributes
    ----------
    value : float
        The value.
    """

    value: float

    @property
    def mean(self) -> float:
        """Return the value."""
        return self.value

    @property
    def std(self) -> float:
        """Return 0."""
        return 0.0

    @property
    def support(self) -> tuple[float, float]:
        """Return the value twice."""
        return self.value, self.value

    def density(self, x: np.ndarray) -> None:
        """Return None: there is no density."""

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the value; raise ValueError where it cannot."""
        check_range(dtype, value=self.value)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Set every element to the value."""
        out[...] = self.value


@dataclass(frozen=True)
class Uniform:
    """U(low, high).

    Attributes
    ----------
    low, high : float
        Bounds, which no value exceeds.
    """

    low: float
    high: float

    @property
    def mean(self) -> float:
        """Return the middle."""
        return 0.5 * (self.low + self.high)

    @property
    def std(self) -> float:
        """Return the width divided by √12."""
        return (self.high - self.low) / math.sqrt(12.0)

    @property
    def support(self) -> tuple[float, float]:
        """Return the bounds."""
        return self.low, self.high

    def density(self, x: np.ndarray) -> np.ndarray | None:
        """Return 1 / (high - low) within the bounds, 0 outside; None when they coincide."""
        if self.low == self.high:
            return None
        return np.where((x >= self.low) & (x <= self.high), 1.0 / (self.high - self.low), 0.0)

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the values; raise ValueError where it cannot."""
        check_range(dtype, range=max(-self.low, self.high, self.high - self.low))
        check_resolution(dtype, _UNIFORM_STEP[dtype], range=self.high - self.low)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array with independent values."""
        fill("fill_uniform", out, source, self.low, self.high)


def bell(z: np.ndarray) -> np.ndarray:
    """Return the density of the standard normal distribution."""
    values: np.ndarray = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return values


@dataclass(frozen=True)
class Normal:
    """N(mean, std²).

    Attributes
    ----------
    mean, std : float
        Mean and standard deviation, 0 or positive.
    """

    mean: float
    std: float

    @property
    def support(self) -> tuple[float, float]:
        """Return the real line, or the mean twice when std is 0."""
        return (-math.inf, math.inf) if self.std else (self.mean, self.mean)

    def density(self, x: np.ndarray) -> np.ndarray | None:
        """Return the normal density; None when std is 0."""
        return bell((x - self.mean) / self.std) / self.std if self.std else None

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the values; raise ValueError where it cannot."""
        check_range(dtype, range=abs(self.mean) + _FARTHEST * self.std)
        check_resolution(dtype, 1.0, **{"standard deviation": self.std})

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array with independent values."""
        fill("fill_normal", out, source, self.mean, self.std)


@dataclass(frozen=True)
class TruncatedNormal:
    """N(location, scale²) on condition that it falls in [low, high].

    Attributes
    ----------
    location, scale : float
        Mean and standard deviation before truncation.
    low, high : float
        Bounds, which no value exceeds; either may be infinite.
    """

    location: float
    scale: float
    low: float
    high: float

    @cached_property
    def _standard(self) -> tuple[float, float]:
        """Return the bounds in standard deviations from the mean."""
        return (self.low - self.location) / self.scale, (self.high - self.location) / self.scale

    @property
    def mean(self) -> float:
        """Return the mean after truncation."""
        return self.location + self.scale * normal_moments(*self._standard)[0]

    @property
    def std(self) -> float:
        """Return the standard deviation after truncation."""
        return self.scale * normal_moments(*self._standard)[1]

    @property
    def support(self) -> tuple[float, float]:
        """Return the bounds."""
        return self.low, self.high

    def density(self, x: np.ndarray) -> np.ndarray:
        """Return the normal density divided by the mass between the bounds; 0 outside."""
        inside = (x >= self.low) & (x <= self.high)
        values = bell((x - self.location) / self.scale) / self.scale
        return np.where(inside, values / masses(*self._standard)[1], 0.0)

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the values; raise ValueError where it cannot."""
        check_range(dtype, location=self.location, scale=_FARTHEST * self.scale)
        check_resolution(dtype, 1.0, scale=self.scale)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array with independent values."""
        fill(
            "fill_truncated_normal",
            out,
            source,
            self.location,
            self.scale,
            self.low,
            self.high,
            *masses(*self._standard),
        )
