"""Uniform fill, from one Philox word a float32 and two a float64.

A signed integer k of 24 bits (float64: 52) is read from the words, and the value is
``middle + step (k + 1/2)``: all values are equally likely, the distribution is symmetric to the
bit, and bounds and step are rounded inward so that no value leaves [low, high].
"""

from typing import Any

import numpy as np

from initperf.jit.policy import by_dtype, jit, portable
from initperf.kernels._kernel import register
from initperf.kernels._philox_block import COUNTERS, WORDS
from initperf.kernels.philox import (
    OPERATIONS,
    block_fill,
    fill_cases,
    fill_loads,
    reference_fill,
)

_LARGEST = float(np.finfo(np.float32).max)


@portable
def fraction_64(low: Any, high: Any) -> Any:
    """Return the multiple of 2^-52 in [1, 2) that two words hold; float64, exact.

    Parameters
    ----------
    low, high : uint32 or array of uint32
        The words; `high` holds the more significant bits.
    """
    bits = (np.uint64(high) << np.uint64(20)) | (np.uint64(low) >> np.uint64(12))
    return np.uint64(bits | np.uint64(0x3FF0000000000000)).view(np.float64)


@portable
def value_32(word: Any, middle: Any, step: Any) -> Any:
    """Return the float32 value of a uint32 word on the grid of `grid`."""
    return middle + step * (np.float32(np.int32(np.int32(word) >> 8)) + np.float32(0.5))


@portable
def value_64(low: Any, high: Any, middle: Any, step: Any) -> Any:
    """Return the float64 value of two uint32 words on the grid of `grid`."""
    return middle + step * ((fraction_64(low, high) - 1.5) + 2.0**-53)


@portable
def _grid(low: Any, high: Any, half: Any, outermost: Any) -> tuple[Any, Any]:
    step = (high - low) / (outermost + outermost)
    middle = half * low + half * high
    while middle + step * outermost > high or middle - step * outermost < low:
        step = np.nextafter(step, step - step)
    return middle, step


@portable
def _inward(bound: Any, rounded: Any, towards: Any) -> Any:
    if (rounded < bound) == (towards > bound) and rounded != bound:
        return np.nextafter(rounded, towards)
    return rounded


@portable
def bounds_32(low: Any, high: Any) -> tuple[Any, Any]:
    """Return the outermost float32 in [low, high], or, where there is none, the nearest twice.

    Parameters
    ----------
    low, high : float
        Bounds, float64, low <= high; either may be infinite.
    """
    low, high = np.float64(max(low, -_LARGEST)), np.float64(min(high, _LARGEST))
    middle = np.float32(0.5 * low + 0.5 * high)
    first, last = _inward(low, np.float32(low), middle), _inward(high, np.float32(high), middle)
    if first > last:
        return middle, middle
    return first, last


@portable
def _grid_32(_: Any, low: Any, high: Any) -> tuple[Any, Any]:
    first, last = bounds_32(low, high)
    return _grid(first, last, np.float32(0.5), np.float32(2.0**23 - 0.5))


@portable
def _grid_64(_: Any, low: Any, high: Any) -> tuple[Any, Any]:
    return _grid(np.float64(low), np.float64(high), 0.5, 0.5 - 2.0**-53)


grid = by_dtype(_grid_32, _grid_64)


def _values(words: np.ndarray, dtype: np.dtype, middle: Any, step: Any) -> Any:
    if dtype == np.float32:
        return value_32(words, middle, step)
    return value_64(words[:, 0::2], words[:, 1::2], middle, step)


def fill_uniform_reference(
    out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64, low: float, high: float
) -> None:
    """Fill an array with U(low, high).

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (count,), contiguous, float32 or float64.
    key, stream, start : numpy.uint64
        Key of the generator, number of the stream, and index of the first value in it.
    low, high : float
        Bounds, low <= high, finite.
    """
    middle, step = grid(out, low, high)
    reference_fill(out, key, stream, start, lambda words: _values(words, out.dtype, middle, step))


@portable
def _block_32(target: Any, words: Any, middle: Any, step: Any) -> None:
    for j in range(WORDS):
        target[j] = value_32(words[j], middle, step)


@portable
def _block_64(target: Any, words: Any, middle: Any, step: Any) -> None:
    for half in range(2):
        part = words[2 * half * COUNTERS : (2 * half + 2) * COUNTERS]
        values = target[half * COUNTERS : (half + 1) * COUNTERS]
        for j in range(COUNTERS):
            values[j] = value_64(part[j], part[COUNTERS + j], middle, step)


uniform_block = by_dtype(_block_32, _block_64)
_fill = block_fill(uniform_block)


@jit
def fill_uniform(
    out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64, low: float, high: float
) -> None:
    """Fill an array with U(low, high); see `fill_uniform_reference`."""
    _fill(out, key, stream, start, grid(out, low, high))


_OPERATIONS = {"float32": OPERATIONS + 4, "float64": 2 * OPERATIONS + 8}

register(
    "fill_uniform",
    numpy=fill_uniform_reference,
    numba=fill_uniform,
    cases=lambda: fill_cases(("float32", "float64"), -0.1, 0.7),
    loads=lambda: fill_loads(_OPERATIONS, -0.1, 0.7),
)
