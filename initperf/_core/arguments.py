"""Checks of arguments that are numbers, words or collections of them.

Each raises an error of one line that names the argument, the value and what is allowed, and
returns the value converted to the one type that the rest of the code works with.
"""

import math
import numbers
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from initperf._core.nearest import nearest
from initperf._core.text import one_line

BACKENDS = ("numpy", "numba")
INDICES = 2**64
"""Number of streams of a key, and of values of a stream."""

_LONGEST = 60


def as_backend(backend: str) -> str:
    """Return the name of a backend, checked to be ``"numpy"`` or ``"numba"``.

    Raises
    ------
    ValueError
        For any other.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be 'numpy' or 'numba', not {shown(backend)}")
    return backend


def elements(value: Any) -> tuple[Any, ...] | None:
    """Return the elements of an ordered collection; None for text, sets, mappings and all else.

    Parameters
    ----------
    value : object
        A sequence other than text and bytes, or a one-dimensional array, has elements.
    """
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return tuple(value)
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return tuple(value)
    return None


def shown(value: Any) -> str:
    """Return the ``repr`` of a value for an error message: one line, cut where it is long."""
    try:
        text = one_line(repr(value))
    except ValueError:  # Python refuses to write out integers of thousands of digits
        bits = value.bit_length() if isinstance(value, int) else None
        text = f"a {type(value).__name__}" if bits is None else f"an integer of {bits} bits"
    except RecursionError:
        text = f"a deeply nested {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def number(
    name: str,
    value: Any,
    below: float = math.inf,
    least: float = 0.0,
    *,
    most: float = math.inf,
    positive: bool = False,
) -> float:
    """Return a real number as a Python float, checked.

    NumPy's scalars of any width are converted, so that compiled code meets one type only.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : int, float or NumPy scalar
        The number; no bool, no string.
    below : float
        It must be less than this.
    least, most : float
        It must not be less than `least` nor greater than `most`; 0 and ∞ by default. ``-inf`` as
        `least` allows negative numbers.
    positive : bool
        Whether 0 is refused too.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For anything that is no number, is not finite or is out of range.
    """
    if type(value) is not float:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            raise ValueError(f"{name} must be a number, not {shown(value)}")
        try:
            value, given = float(value), value
        except OverflowError:
            raise ValueError(f"{name} must be below 1.8e308, not {shown(value)}") from None
        if math.isinf(value) and isinstance(given, np.floating) and np.isfinite(given):
            raise ValueError(f"{name} must be below 1.8e308, not {shown(given)}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, not {value!r}")
    if positive and not value > 0.0:
        raise ValueError(f"{name} must be positive, not {value!r}")
    if not (least <= value <= most and value < below):
        bounds = [
            f"{words} {bound:g}"
            for words, bound in (("at least", least), ("at most", most), ("below", below))
            if math.isfinite(bound)
        ]
        raise ValueError(f"{name} must be {' and '.join(bounds)}, not {value!r}")
    return float(value)


def whole(name: str, value: Any, least: int | None = None, *, most: int | None = None) -> int:
    """Return an integer as a Python int, checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : int or NumPy integer
        The integer; no bool.
    least, most : int, optional
        It must not be less than `least` nor greater than `most`.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        For anything that is no integer, or is out of range.
    """
    allowed = "an integer" if least is None else f"an integer of at least {least}"
    if least == 1:
        allowed = "a positive integer"
    if most is not None:
        allowed += f" and at most {most}"
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}")
    try:
        found = operator.index(value)
    except TypeError:  # an array of several integers has the method too
        raise ValueError(f"{name} must be {allowed}, not {shown(value)}") from None
    if (least is not None and found < least) or (most is not None and found > most):
        raise ValueError(f"{name} must be {allowed}, not {shown(found)}")
    return found


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return a word, checked to be one of some.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : str
        The word.
    allowed : iterable of str
        What it may be.

    Raises
    ------
    ValueError
        For any other; the message lists the words and suggests the nearest.
    """
    words = tuple(allowed)
    if isinstance(value, str) and value in words:
        return value
    near = nearest(value, words) if isinstance(value, str) else None
    hint = "" if near is None else f"; did you mean {near!r}?"
    raise ValueError(f"{name} must be one of {', '.join(words)}, not {shown(value)}{hint}")


def as_index(name: str, value: Any) -> int:
    """Return the number of a stream, or the index of a value in it, as a Python int, checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : int or NumPy integer
        The number, in [0, 2**64).

    Raises
    ------
    TypeError
        For anything that is no integer.
    ValueError
        For one out of range.
    """
    if type(value) is not int:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
        value = int(value)
    if not 0 <= value < INDICES:
        raise ValueError(f"{name} must be at least 0 and below 2**64, not {shown(value)}")
    found: int = value
    return found
