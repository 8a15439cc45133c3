"""Histogram between the smallest and the largest value, of gradients and activations."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import types

from initperf.jit.address import Family, vector
from initperf.jit.magnitudes import from_ordered, ordered
from initperf.jit.policy import jit, portable
from initperf.jit.tuning import HISTOGRAM_TALLIES, SWEEP_CHUNK
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


@portable
def _first_equal(values: Any, number: Any) -> Any:
    """Return the first of the values that equals a number: zeros of both signs do."""
    for i in range(values.size):
        if values[i] == number:
            return values[i]
    return number


@jit
def histogram(values: np.ndarray, bounds: np.ndarray, counts: np.ndarray) -> None:
    """Count values in equal bins; see the reference.

    Bounds are found among integers in the order of the floats, whose minimum is one vector
    instruction. Places are computed as vectors, a chunk at a time. Neighbours count in tallies of
    their own, so that equal values do not wait for each other's store.
    """
    least = most = ordered(values[0])
    for i in range(values.size):
        key = ordered(values[i])
        least, most = min(least, key), max(most, key)
    low = np.float64(_first_equal(values, from_ordered(values, least)))
    high = np.float64(_first_equal(values, from_ordered(values, most)))
    if low == high:
        low, high = low - 0.5, low + 0.5
    bounds[0], bounds[1] = low, high
    scale = counts.size / (high - low)
    last = np.uint32(counts.size - 1)
    places = np.empty(SWEEP_CHUNK, np.uint32)
    tallies = np.zeros(HISTOGRAM_TALLIES * counts.size, np.int64)
    for begin in range(0, values.size, SWEEP_CHUNK):
        part = values[begin : begin + SWEEP_CHUNK]
        for i in range(part.size):
            place = min(np.uint32(np.int32((np.float64(part[i]) - low) * scale)), last)
            turn = np.uint32(i) % np.uint32(HISTOGRAM_TALLIES)
            places[i] = np.uint32(np.uint32(place * np.uint32(HISTOGRAM_TALLIES)) + turn)
        for i in range(part.size):
            tallies[places[i]] += 1
    for number in range(counts.size):
        counts[number] = 0
        for tally in range(HISTOGRAM_TALLIES):
            counts[number] += tallies[number * HISTOGRAM_TALLIES + tally]


HISTOGRAM = Family(lambda kind: (vector(kind), vector(types.float64), vector(types.int64)))
"""Histograms, which take ``(values, bounds, counts)``."""


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for size, spread in ((1, 1.0), (5, 0.0), (1000, 3.0), (4099, 1e-3)):

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
