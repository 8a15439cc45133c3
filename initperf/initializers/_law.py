"""The laws that independent weights are drawn from, with their moments and densities."""

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Protocol

import numpy as np

from initperf._core.arguments import DTYPES
from initperf.initializers._filling import as_source, fill
from initperf.kernels.fill_truncated_normal import masses

_FARTHEST = 12.0
"""More standard deviations from its peak than a normal law is ever found."""


_LARGEST = {dtype: float(np.finfo(dtype).max) for dtype in DTYPES}


class Law(Protocol):
    """The distribution of a single weight."""

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
        """Return the probability density at `x`; None for a law without one."""

    def fill(self, out: np.ndarray, **source: Any) -> None:
        """Fill `out` with independent values; `source` as `_filling.fill` takes it."""


def check_range(dtype: np.dtype, **values: float) -> None:
    """Check that a dtype can hold magnitudes; raise ValueError naming the one that it cannot."""
    largest = _LARGEST[dtype]
    for name, value in values.items():
        if abs(value) > largest:
            raise ValueError(f"the {name}, {value:g}, is more than {dtype} can hold")


@dataclass(frozen=True)
class Point:
    """All mass on one value."""

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

    def fill(self, out: np.ndarray, **source: Any) -> None:
        """Set every element to the value."""
        check_range(out.dtype, value=self.value)
        as_source(out.size, **source)
        out[...] = self.value


@dataclass(frozen=True)
class Uniform:
    """U(low, high)."""

    low: float
    high: float

    @property
    def mean(self) -> float:
        """Return the middle."""
        return 0.5 * (self.low + self.high)

    @property
    def std(self) -> float:
        """Return the width by the root of 12."""
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

    def fill(self, out: np.ndarray, **source: Any) -> None:
        """Fill `out` with independent values."""
        check_range(out.dtype, range=max(-self.low, self.high, self.high - self.low))
        fill("fill_uniform", out, self.low, self.high, **source)


def bell(z: np.ndarray) -> np.ndarray:
    """Return the density of the standard normal law."""
    values: np.ndarray = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return values


@cache
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    return nodes, weights


@dataclass(frozen=True)
class Normal:
    """N(mean, std^2)."""

    mean: float
    std: float

    @property
    def support(self) -> tuple[float, float]:
        """Return the real line, or the mean twice when std is 0."""
        return (-math.inf, math.inf) if self.std else (self.mean, self.mean)

    def density(self, x: np.ndarray) -> np.ndarray | None:
        """Return the bell curve; None when std is 0."""
        return bell((x - self.mean) / self.std) / self.std if self.std else None

    def check(self, dtype: Any) -> None:
        """Check that a dtype can hold the values; raise ValueError where it cannot."""
        check_range(dtype, range=abs(self.mean) + _FARTHEST * self.std)

    def fill(self, out: np.ndarray, **source: Any) -> None:
        """Fill `out` with independent values."""
        self.check(out.dtype)
        fill("fill_normal", out, self.mean, self.std, **source)


@dataclass(frozen=True)
class TruncatedNormal:
    """N(location, scale^2) on condition that it falls in [low, high]."""

    location: float
    scale: float
    low: float
    high: float

    @cached_property
    def _standard(self) -> tuple[float, float]:
        return (self.low - self.location) / self.scale, (self.high - self.location) / self.scale

    @cached_property
    def _moments(self) -> tuple[float, float]:
        low, high = self._standard
        peak = min(max(low, 0.0), high)
        low, high = max(low, peak - _FARTHEST), min(high, peak + _FARTHEST)
        middle = 0.5 * (low + high)
        nodes, weights = _legendre()
        from_middle = 0.5 * (high - low) * nodes
        z = middle + from_middle
        density = weights * np.exp(0.5 * (peak - z) * (peak + z))
        shift = float(np.average(from_middle, weights=density))
        variance = float(np.average((from_middle - shift) ** 2, weights=density))
        return middle + shift, math.sqrt(variance)

    @property
    def mean(self) -> float:
        """Return the mean after truncation."""
        return self.location + self.scale * self._moments[0]

    @property
    def std(self) -> float:
        """Return the standard deviation after truncation."""
        return self.scale * self._moments[1]

    @property
    def support(self) -> tuple[float, float]:
        """Return the bounds."""
        return self.low, self.high

    def density(self, x: np.ndarray) -> np.ndarray:
        """Return the bell curve over the mass inside the bounds; 0 outside."""
        inside = (x >= self.low) & (x <= self.high)
        values = bell((x - self.location) / self.scale) / self.scale
        return np.where(inside, values / masses(*self._standard)[1], 0.0)

    def fill(self, out: np.ndarray, **source: Any) -> None:
        """Fill `out` with independent values."""
        check_range(out.dtype, location=self.location, scale=_FARTHEST * self.scale)
        fill(
            "fill_truncated_normal",
            out,
            self.location,
            self.scale,
            self.low,
            self.high,
            *masses(*self._standard),
            **source,
        )
