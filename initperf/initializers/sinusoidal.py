"""Deterministic weights: each unit a sine over its inputs, of a frequency and a phase of its own.

Fernández-Hernández et al., "Sinusoidal initialization, time for a new start", 2025 (2505.12909).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.source import Source
from initperf.initializers._initializer import register
from initperf.initializers._whole import Whole

_ROWS = 256  # rows of a weight that are computed at a time, in float64


@dataclass(frozen=True, kw_only=True)
class Sinusoidal(Whole):
    """a sin(2π i (j/n + 1/m)) for input j of n, from 0, and unit i of m, from 1.

    The amplitude a makes the variance over all entries 2/(n + m), that of Glorot's weights. The
    authors' implementation divides by the unbiased variance instead, which makes a larger by
    1/(2nm). Inputs of a receptive field are counted in PyTorch's order, channel by channel. Of one
    or two inputs and units sines can be 0 everywhere; so are the weights then.
    """

    def _check(self, out: np.ndarray) -> None:
        """Accept any weight: the amplitude is at most 2."""

    def _sines(self, first: int, last: int, inputs: int, units: int) -> np.ndarray:
        """Return the sines of inputs [first, last), (inputs, units) float64.

        Whole turns are removed in integers, so that the angle is not rounded, and half turns are
        0 to the bit.
        """
        period = inputs * units
        unit = np.arange(1, units + 1)
        turns = (np.arange(first, last)[:, None] * units + inputs) % period * unit % period
        halves = 2 * turns % period == 0
        waves: np.ndarray = np.where(halves, 0.0, np.sin(2.0 * math.pi / period * turns))
        return waves

    def _moments(self, shape: Any) -> tuple[float, float]:
        """Return mean and variance of the sines, from sums over whole periods.

        Over the inputs, sin(2π i (j/n + 1/m)) adds up to 0 unless n divides i, and its square to
        n/2 unless n divides 2i.
        """
        n, m = self._matrix_shape(shape)
        unit = np.arange(1, m + 1)
        phase = 2.0 * math.pi / m * (unit % m)
        total = np.where(unit % n == 0, n * np.sin(phase), 0.0).sum()
        squares = np.where(2 * unit % n == 0, 0.5 * n * (1.0 - np.cos(2.0 * phase)), 0.5 * n).sum()
        mean = float(total) / (n * m)
        return mean, float(squares) / (n * m) - mean * mean

    def _amplitude(self, shape: Any) -> float:
        variance = self._moments(shape)[1]
        n, m = self._matrix_shape(shape)
        # what is 0 is rounded to some 1e-16; the least other variance, of three entries, is 1/4
        return math.sqrt(2.0 / (n + m) / variance) if variance > 1e-9 else 0.0

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        inputs, units = self._matrix_shape(out.shape)
        amplitude = self._amplitude(out.shape)
        moved = np.moveaxis(out, (self.in_axis, self.out_axis), (0, -1))
        direct = moved.ndim == 2
        matrix = moved if direct else np.empty((inputs, units), out.dtype)
        for first in range(0, inputs, _ROWS):
            last = min(first + _ROWS, inputs)
            matrix[first:last] = amplitude * self._sines(first, last, inputs, units)
        if not direct:
            moved[...] = matrix.reshape(moved.shape)

    def mean(self, shape: Any) -> float:
        """Return the mean entry, 0 unless a unit's number is a multiple of the fan-in."""
        return self._amplitude(shape) * self._moments(shape)[0]

    def std(self, shape: Any) -> float:
        """Return √(2/(n + m)), or 0 where all sines are."""
        n, m = self._matrix_shape(shape)
        return math.sqrt(2.0 / (n + m)) if self._amplitude(shape) else 0.0

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the amplitude on either side."""
        amplitude = self._amplitude(shape)
        return -amplitude, amplitude


register(
    "sinusoidal",
    Sinusoidal(
        formula="a sin(2π i (j/n + 1/m)), a for the variance 2/(n + m)",
        cite="Fernández-Hernández et al. 2025",
        suits=("relu",),
    ),
    aliases=("sinusoid",),
)
