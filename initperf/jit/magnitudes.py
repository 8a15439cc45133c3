"""Comparison of magnitudes as integers, and the magnitude at which a run has diverged.

The bits of a float without its sign are ordered as its magnitude is, with infinity and NaN above
all numbers. The maximum of such integers is one vector instruction, where a maximum of floats
that does not ignore NaN is a branch; and one comparison finds values too large and NaN alike.
"""

from typing import Any

import numpy as np

from initperf.jit.policy import by_dtype, portable

LIMITS = {"float32": 2.0**56, "float64": 2.0**504}
"""Magnitudes from which on a run has diverged: sums of 8,192 squares below are still finite.

They apply to pre-activations, updated parameters and the norm of a layer's gradient.
"""

_MAGNITUDE_32 = np.int32(0x7FFFFFFF)
_MAGNITUDE_64 = np.int64(0x7FFFFFFFFFFFFFFF)
_LIMIT_32 = np.float32(LIMITS["float32"]).view(np.int32)
_LIMIT_64 = np.float64(LIMITS["float64"]).view(np.int64)
_SQUARE_32 = LIMITS["float32"] ** 2
_SQUARE_64 = LIMITS["float64"] ** 2


@portable
def _magnitude_32(x: Any) -> Any:
    return np.int32(np.float32(x).view(np.int32) & _MAGNITUDE_32)


@portable
def _magnitude_64(x: Any) -> Any:
    return np.float64(x).view(np.int64) & _MAGNITUDE_64


magnitude = by_dtype(_magnitude_32, _magnitude_64)
"""Bits of |x| as an integer of the same width."""


@portable
def _largest_32(x: Any, bits: Any) -> Any:
    return np.int32(bits).view(np.float32)


@portable
def _largest_64(x: Any, bits: Any) -> Any:
    return np.int64(bits).view(np.float64)


from_magnitude = by_dtype(_largest_32, _largest_64)
"""The number, of the dtype of the first argument, that has these bits."""


@portable
def _swapped_32(bits: Any) -> Any:
    return np.int32(bits ^ np.int32(np.int32(bits >> 31) & _MAGNITUDE_32))


@portable
def _swapped_64(bits: Any) -> Any:
    return np.int64(bits ^ np.int64((bits >> 63) & _MAGNITUDE_64))


@portable
def _ordered_32(x: Any) -> Any:
    return _swapped_32(np.float32(x).view(np.int32))


@portable
def _ordered_64(x: Any) -> Any:
    return _swapped_64(np.float64(x).view(np.int64))


ordered = by_dtype(_ordered_32, _ordered_64)
"""An integer of the same width whose order is that of the numbers, with -0.0 below 0.0."""


@portable
def _from_ordered_32(x: Any, key: Any) -> Any:
    return np.int32(_swapped_32(key)).view(np.float32)


@portable
def _from_ordered_64(x: Any, key: Any) -> Any:
    return np.int64(_swapped_64(key)).view(np.float64)


from_ordered = by_dtype(_from_ordered_32, _from_ordered_64)
"""The number, of the dtype of the first argument, whose `ordered` integer this is."""


@portable
def _one_more_32(x: Any, count: Any, counted: Any) -> Any:
    return np.int32(count + np.int32(counted))


@portable
def _one_more_64(x: Any, count: Any, counted: Any) -> Any:
    return count + np.int64(counted)


one_more = by_dtype(_one_more_32, _one_more_64)
"""A count, an integer as wide as the first argument, and one more where a condition holds."""


@portable
def _beyond_32(x: Any, bits: Any) -> Any:
    return bits >= _LIMIT_32


@portable
def _beyond_64(x: Any, bits: Any) -> Any:
    return bits >= _LIMIT_64


beyond = by_dtype(_beyond_32, _beyond_64)
"""Whether these bits, of the dtype of the first argument, are those of LIMITS or above."""


@portable
def _limit_squared_32(x: Any) -> Any:
    return _SQUARE_32


@portable
def _limit_squared_64(x: Any) -> Any:
    return _SQUARE_64


limit_squared = by_dtype(_limit_squared_32, _limit_squared_64)
"""The square of LIMITS for the dtype of the argument, as a float64."""


def diverged(*arrays: np.ndarray) -> bool:
    """Return whether an array holds a magnitude of LIMITS or above, an infinity or a NaN."""
    return any(not np.all(np.abs(one) < LIMITS[one.dtype.name]) for one in arrays)
