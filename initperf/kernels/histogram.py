"""Histogram between the smallest and the largest value, of gradients and activations."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import types

from initperf.jit.address import Family, vector
from initperf.jit.policy import jit
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both

BINS = 64


def histogram_reference(values: np.ndarray, bounds: np.ndarray, counts: np.ndarray) -> None:
    """Count values in equal bins.

    Parameters
    ----------
    values : numpy.ndarray
        1-D, float32 or float64, finite, at least one.
    bounds : numpy.ndarray
        (2,) float64, written: the smallest and the largest value, which are the left edge of the
        first bin and the right edge of the last; widened by 1/2 on each side where they are equal.
    counts : numpy.ndarray
        (bins,) int64, written.
    """
    bounds[:] = values.min(), values.max()
    if bounds[0] == bounds[1]:
        bounds[:] = bounds[0] - 0.5, bounds[0] + 0.5
    scale = counts.size / (bounds[1] - bounds[0])
    places = ((values.astype(np.float64) - bounds[0]) * scale).astype(np.int64)
    counts[:] = np.bincount(np.minimum(places, counts.size - 1), minlength=counts.size)


@jit
def histogram(values: np.ndarray, bounds: np.ndarray, counts: np.ndarray) -> None:
    """Count values in equal bins; see the reference."""
    low = high = np.float64(values[0])
    for i in range(values.size):
        value = np.float64(values[i])
        low, high = min(low, value), max(high, value)
    if low == high:
        low, high = low - 0.5, low + 0.5
    bounds[0], bounds[1] = low, high
    scale = counts.size / (high - low)
    for empty in range(counts.size):
        counts[empty] = 0
    for i in range(values.size):
        place = int((np.float64(values[i]) - low) * scale)
        counts[min(place, counts.size - 1)] += 1


HISTOGRAM = Family(lambda kind: (vector(kind), vector(types.float64), vector(types.int64)))
"""Histograms, which take ``(values, bounds, counts)``."""


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for size, spread in ((1, 1.0), (5, 0.0), (1000, 3.0)):

            def arguments(
                dtype: str = dtype, size: int = size, spread: float = spread
            ) -> tuple[Any, ...]:
                rng = np.random.default_rng(size)
                values = (0.25 + spread * rng.standard_normal(size)).astype(dtype)
                return values, np.zeros(2), np.zeros(BINS, np.int64)

            yield Case(f"{dtype}-{size}", arguments, writes=(1, 2))


def _loads() -> Iterator[Load]:
    for rows, columns in ((784, 512), (4096, 1024)):
        size = rows * columns

        def arguments(dtype: str, size: int = size) -> tuple[Any, ...]:
            values = np.random.default_rng(0).standard_normal(size).astype(dtype)
            return values, np.zeros(2), np.zeros(BINS, np.int64)

        # shift and scale to the number of the bin, increment its count
        yield Load(f"{rows} x {columns}", arguments, both(3 * size), size)


register("histogram", numpy=histogram_reference, numba=histogram, cases=_cases, loads=_loads)
