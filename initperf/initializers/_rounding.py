"""Bounds that rounding to 16 bits must not cross: the outermost numbers within a support.

Values are drawn as float32 and rounded to nearest. Where that would carry a value past a bound of
its distribution, it becomes the outermost number of the format within the bounds instead.
"""

import functools
import math
from typing import TypeAlias

import numpy as np

from initperf.initializers._distributions import Distribution

Caps: TypeAlias = tuple[np.float32, np.float32]
"""The least and the greatest value."""

_SIGN = 0x8000
_SMALLEST_FLOAT16 = 2.0**-24


def check_narrow(distribution: Distribution, form: str) -> None:
    """Check that values do not all round to 0.

    Parameters
    ----------
    distribution : Distribution
        What is drawn.
    form : str
        The format; anything but ``"float16"`` has the range of what is drawn.

    Raises
    ------
    ValueError
        For a standard deviation below the smallest number of the format.
    """
    std = distribution.std
    if form == "float16" and 0.0 < std < _SMALLEST_FLOAT16:
        raise ValueError(
            f"the standard deviation, {std:g}, is below {_SMALLEST_FLOAT16:g}, the smallest number "
            "of float16"
        )


@functools.lru_cache(maxsize=256)
def caps(support: tuple[float, float], form: str) -> Caps | None:
    """Return bounds for float32 values that rounding then keeps within a support.

    Parameters
    ----------
    support : tuple of float
        The smallest closed interval that holds every value; may be infinite.
    form : str
        ``"float16"`` or ``"bfloat16"``.

    Returns
    -------
    Caps, or None
        The outermost numbers of the format within the support, infinite at an end that rounding
        does not cross. None where it crosses neither, and where no number of the format lies
        within: values are then rounded to nearest.
    """
    low, high = support
    least = _inside(low, form, 1)
    most = _inside(high, form, -1)
    if least > high or most < low or (math.isinf(least) and math.isinf(most)):
        return None
    return np.float32(least), np.float32(most)


def _inside(bound: float, form: str, step: int) -> float:
    """Return the next number of a format in a direction where rounding crosses a bound.

    Infinite, against the direction, where it does not, or the bound is beyond the format.
    """
    free = -step * math.inf
    if math.isinf(bound):
        return free
    from initperf.kernels.narrow import narrow_reference  # of few draws, and compiled

    bits = np.zeros(1, np.uint16)
    with np.errstate(over="ignore"):
        narrow_reference(np.array([bound], np.float32), bits, form == "bfloat16")
        value = _widened(int(bits[0]), form)
    if math.isinf(value) or (bound - value) * step <= 0.0:
        return free
    return _widened(_neighbour(int(bits[0]), step), form)


def _widened(bits: int, form: str) -> float:
    if form == "bfloat16":
        return float(np.array([bits << 16], np.uint32).view(np.float32)[0])
    return float(np.array([bits], np.uint16).view(np.float16)[0])


def _neighbour(bits: int, step: int) -> int:
    """Return the bits of the next number in a direction: of sign and magnitude, as of integers."""
    place = (bits if bits < _SIGN else _SIGN - bits) + step
    return place if place >= 0 else _SIGN - place
