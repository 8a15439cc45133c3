"""Sine and cosine of angles in radians, with the same bits on arrays and on compiled scalars.

The angle is reduced to an eighth of a turn on either side of a multiple of π/2, which is subtracted
in three parts of few digits (Cody & Waite, "Software manual for the elementary functions", 1980):
products with the first two are exact for small angles. Then follow the polynomials of
`initperf.jit.elementary`, exchanged and negated by quadrant, without branches.
"""

import math
from typing import Any

import numpy as np

from initperf.jit.elementary import cosine, sine
from initperf.jit.policy import by_dtype, portable, where

_F = np.float32
_D = np.float64
_QUARTERS = 2.0 / math.pi  # turns of a quarter in a radian
_ROUNDING_32 = _F(1.5 * 2.0**23)  # adding it leaves the nearest integer in the lowest bits
_ROUNDING_64 = _D(1.5 * 2.0**52)
_FARTHEST_32 = _F(2.0**21)  # where neighbours are 0.25 apart
_FARTHEST_64 = _D(2.0**40)
# π/2 in parts, of 8, 11 and 24 bits in float32, of 33 each in float64
_HIGH_32, _MIDDLE_32, _LOW_32 = _F(1.5703125), _F(4.837512969970703e-4), _F(7.549790126404332e-8)
_HIGH_64, _MIDDLE_64 = _D(1.57079632673412561417e00), _D(6.07710050630396597660e-11)
_LOW_64 = _D(2.0222662487959506e-21)


@portable
def _by_quadrant_32(v: Any, bits: Any) -> tuple[Any, Any]:
    swapped = np.int32(bits & np.int32(1)) != np.int32(0)
    below = np.int32(bits & np.int32(2)) != np.int32(0)
    left = np.int32(np.int32(bits + np.int32(1)) & np.int32(2)) != np.int32(0)
    s, c = sine(v), cosine(v)
    y, x = where(swapped, c, s), where(swapped, s, c)
    return where(below, -y, y), where(left, -x, x)


@portable
def _radians_32(angle: Any) -> tuple[Any, Any]:
    a = where(angle > _FARTHEST_32, _FARTHEST_32, angle)
    a = where(a < -_FARTHEST_32, -_FARTHEST_32, a)
    shifted = a * _F(_QUARTERS) + _ROUNDING_32
    n = shifted - _ROUNDING_32
    rest = ((a - n * _HIGH_32) - n * _MIDDLE_32) - n * _LOW_32
    return _by_quadrant_32(rest * _F(_QUARTERS), np.float32(shifted).view(np.int32))


@portable
def _by_quadrant_64(v: Any, bits: Any) -> tuple[Any, Any]:
    swapped = np.uint64(bits & np.uint64(1)) != np.uint64(0)
    below = np.uint64(bits & np.uint64(2)) != np.uint64(0)
    left = np.uint64(np.uint64(bits + np.uint64(1)) & np.uint64(2)) != np.uint64(0)
    s, c = sine(v), cosine(v)
    y, x = where(swapped, c, s), where(swapped, s, c)
    return where(below, -y, y), where(left, -x, x)


@portable
def _radians_64(angle: Any) -> tuple[Any, Any]:
    a = where(angle > _FARTHEST_64, _FARTHEST_64, angle)
    a = where(a < -_FARTHEST_64, -_FARTHEST_64, a)
    shifted = a * _D(_QUARTERS) + _ROUNDING_64
    n = shifted - _ROUNDING_64
    rest = ((a - n * _HIGH_64) - n * _MIDDLE_64) - n * _LOW_64
    return _by_quadrant_64(rest * _D(_QUARTERS), np.float64(shifted).view(np.uint64))


sine_and_cosine = by_dtype(_radians_32, _radians_64)
"""Sine and cosine of an angle in radians, each to 2 eps absolutely within 4,096 radians.

Further out they are those of an angle that differs by no more than neighbouring numbers do; beyond
2**21 (float32) and 2**40 (float64) on either side, those there.
"""
