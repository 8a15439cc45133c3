"""Normal fill by the transform of Box and Muller (Annals of Mathematical Statistics 29, 1958).

A pair of float32 uses two Philox words, a pair of float64 four: one half for the radius, which
reaches 6.66 standard deviations in float32 and 8.57 in float64, the other for the angle. The
lower bits of the angle give half a turn, and the top bit the sign of its cosine.
"""

from typing import Any

import numpy as np

from initperf.jit.elementary import cosine, log, sine
from initperf.jit.policy import by_dtype, jit, portable, where
from initperf.kernels._kernel import register
from initperf.kernels._philox_block import COUNTERS
from initperf.kernels.fill_uniform import fraction_64
from initperf.kernels.philox import (
    OPERATIONS,
    block_fill,
    fill_cases,
    fill_loads,
    reference_fill,
)

_F = np.float32


@portable
def pair_32(word_0: Any, word_1: Any, mean: Any, std: Any) -> tuple[Any, Any]:
    """Return two float32 normal values of two uint32 words, by Box and Muller's method."""
    u = (_F(np.int32(np.uint32(word_0) >> np.uint32(1))) + _F(0.5)) * _F(2.0**-31)
    v = _F(np.int32(np.uint32(word_1) << np.uint32(1))) * _F(2.0**-31)
    radius = std * np.sqrt(_F(-2.0) * log(u))
    across = cosine(v)
    across = where(np.int32(word_1) < 0, -across, across)
    return mean + radius * across, mean + radius * sine(v)


@portable
def pair_64(
    word_0: Any, word_1: Any, word_2: Any, word_3: Any, mean: Any, std: Any
) -> tuple[Any, Any]:
    """Return two float64 normal values of four uint32 words, by Box and Muller's method."""
    u = (fraction_64(word_0, word_1) - 1.0) + 2.0**-53
    v = 2.0 * (fraction_64(word_2, np.uint32(word_3) << np.uint32(1)) - 1.5)
    radius = std * np.sqrt(-2.0 * log(u))
    across = cosine(v)
    across = where(np.int32(word_3) < 0, -across, across)
    return mean + radius * across, mean + radius * sine(v)


def _values(words: np.ndarray, dtype: np.dtype, mean: Any, std: Any) -> np.ndarray:
    if dtype == np.float32:
        pair = pair_32(words[:, 0::2], words[:, 1::2], mean, std)
    else:
        word_0, word_1, word_2, word_3 = np.moveaxis(words, 1, 0)[:, :, None]
        pair = pair_64(word_0, word_1, word_2, word_3, mean, std)
    return np.stack(pair, axis=2)


def fill_normal_reference(
    out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64, mean: float, std: float
) -> None:
    """Fill an array with N(mean, std²).

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (count,), contiguous, float32 or float64.
    key, stream, start : numpy.uint64
        Key of the generator, number of the stream, and index of the first value in it.
    mean, std : float
        Mean and standard deviation, rounded to the array's dtype.
    """
    mean, std = out.dtype.type(mean), out.dtype.type(std)
    reference_fill(out, key, stream, start, lambda words: _values(words, out.dtype, mean, std))


@portable
def _block_32(target: Any, words: Any, mean: Any, std: Any) -> None:
    for j in range(COUNTERS):
        pair_0 = pair_32(words[j], words[COUNTERS + j], _F(mean), _F(std))
        pair_1 = pair_32(words[2 * COUNTERS + j], words[3 * COUNTERS + j], _F(mean), _F(std))
        target[j], target[COUNTERS + j] = pair_0
        target[2 * COUNTERS + j], target[3 * COUNTERS + j] = pair_1


@portable
def _block_64(target: Any, words: Any, mean: Any, std: Any) -> None:
    for j in range(COUNTERS):
        target[j], target[COUNTERS + j] = pair_64(
            words[j],
            words[COUNTERS + j],
            words[2 * COUNTERS + j],
            words[3 * COUNTERS + j],
            mean,
            std,
        )


normal_block = by_dtype(_block_32, _block_64)
_fill = block_fill(normal_block)


@jit
def fill_normal(
    out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64, mean: float, std: float
) -> None:
    """Fill an array with N(mean, std²); see `fill_normal_reference`."""
    _fill(out, key, stream, start, (mean, std))


_OPERATIONS = {"float32": OPERATIONS + 26.5, "float64": 2 * OPERATIONS + 44.5}

register(
    "fill_normal",
    numpy=fill_normal_reference,
    numba=fill_normal,
    cases=lambda: fill_cases(("float32", "float64"), 0.5, 2.0),
    loads=lambda: fill_loads(_OPERATIONS, 0.0, 1.0),
)
