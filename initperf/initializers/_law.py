"""The laws that independent weights are drawn from, with their moments and densities."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from initperf.filling import fill
from initperf.kernels.fill_truncated_normal import masses

Fill = Callable[..., None]


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

    def fill(self, out: np.ndarray, **source: object) -> None:
        """Fill `out` with independent values; `source` as `initperf.filling.fill` takes it."""


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

    def fill(self, out: np.ndarray, **source: object) -> None:
        """Set every element to the value."""
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

    def fill(self, out: np.ndarray, **source: object) -> None:
        """Fill `out` with independent values."""
        fill("fill_uniform", out, self.low, self.high, **source)


def _bell(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


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
        return _bell((x - self.mean) / self.std) / self.std if self.std else None

    def fill(self, out: np.ndarray, **source: object) -> None:
        """Fill `out` with independent values."""
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
        inside = masses(low, high)[1]
        edges = _bell(np.array([low, high]))
        slopes = [0.0 if math.isinf(z) else z * e for z, e in zip((low, high), edges)]
        mean = float(edges[0] - edges[1]) / inside
        return mean, math.sqrt(max(0.0, 1.0 + (slopes[0] - slopes[1]) / inside - mean * mean))

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
        bell = _bell((x - self.location) / self.scale) / self.scale
        return np.where((x >= self.low) & (x <= self.high), bell / masses(*self._standard)[1], 0.0)

    def fill(self, out: np.ndarray, **source: object) -> None:
        """Fill `out` with independent values."""
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
