"""Domains of the arguments of predictions, and scalar functions applied to arrays."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from initperf._core.arguments import shown, whole

_MOST_LAYERS = 1_000_000


def within(name: str, value: Any, low: float, high: float = math.inf) -> Any:
    """Check numbers against a closed interval; infinity and nan are outside of every one.

    Parameters
    ----------
    name : str
        What the message calls them.
    value : float or array_like
    low, high : float
        The least and the largest that are allowed.

    Returns
    -------
    float or numpy.ndarray
        A float for a number, a float64 array for anything else.

    Raises
    ------
    ValueError
        Naming the first value that is outside, or what is no number.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a real number or an array of them, not {shown(value)}")
    with np.errstate(over="ignore"):  # a longdouble beyond float64 is refused as infinite
        array = array.astype(np.float64)
    bad = array[~((array >= low) & (array <= high) & np.isfinite(array))]
    if bad.size:
        if math.isinf(high):
            bound = "" if math.isinf(low) else f" and at least {low:g}"
            raise ValueError(f"{name} must be finite{bound}, not {float(bad.flat[0])!r}")
        raise ValueError(f"{name} must be in [{low:g}, {high:g}], not {float(bad.flat[0])!r}")
    return array if array.ndim else float(array)


def variance(name: str, value: Any) -> Any:
    """Check variances: finite and at least 0; see `within`."""
    return within(name, value, 0.0)


def second_moment(value: Any) -> Any:
    """Check second moments: finite and at least 0; see `within`."""
    return within("a second moment", value, 0.0)


def correlation(value: Any) -> Any:
    """Check correlations: between −1 and 1; see `within`."""
    return within("correlation", value, -1.0, 1.0)


def layers(name: str, value: Any, least: int) -> int:
    """Check a number of layers that are gone through one by one: an integer of at most a million.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : int
    least : int
        The smallest that is allowed.

    Raises
    ------
    ValueError
        For any other.
    """
    return whole(name, value, least, most=_MOST_LAYERS)


def elementwise(function: Callable[..., float], *arguments: Any) -> Any:
    """Return a function of numbers at each element of arguments that are broadcast.

    Parameters
    ----------
    function : callable
        From as many floats as there are arguments to a float.
    *arguments : float or numpy.ndarray

    Returns
    -------
    float or numpy.ndarray
        A float when all arguments are numbers; else a float64 array.

    Raises
    ------
    ValueError
        When the shapes do not broadcast, a result is beyond float64, or the quadrature needs more
        memory than there is.
    """
    try:
        arrays = np.broadcast_arrays(*arguments)
    except ValueError:
        shapes = ", ".join(str(np.shape(argument)) for argument in arguments)
        raise ValueError(f"arguments must broadcast, and shapes {shapes} do not") from None
    known = functools.cache(function)
    try:
        points = zip(*(a.flat for a in arrays), strict=True)
        values = [known(*map(float, point)) for point in points]
    except OverflowError:
        raise ValueError(
            f"arguments must be of a size whose result is below 1.8e308, not {shown(arguments)}"
        ) from None
    except MemoryError:  # of a quadrature whose steps are small beside a huge second moment
        raise ValueError(
            f"arguments must be of a size whose quadrature fits into memory, not {shown(arguments)}"
        ) from None
    if all(np.ndim(argument) == 0 for argument in arguments):
        return values[0]
    return np.array(values, dtype=np.float64).reshape(arrays[0].shape)
