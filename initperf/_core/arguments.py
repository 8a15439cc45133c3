"""Checks of arguments: shapes, dtypes, backends, output arrays, numbers and choices.

Each raises an error of one line that names the argument, the value and what is allowed, and
returns the value converted to the one type that the rest of the code works with.
"""

import itertools
import math
import numbers
import operator
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from initperf._core.nearest import nearest
from initperf._core.text import one_line

DTYPES = np.dtype("float32"), np.dtype("float64")
BACKENDS = ("numpy", "numba")
INDICES = 2**64
"""Number of streams of a key, and of values of a stream."""

_LONGEST = 60
_MOST_ELEMENTS = sys.maxsize // 8
_MOST_AXES = 64  # NumPy's own limit


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Return an element type as a NumPy dtype, checked to be float32 or float64.

    Raises
    ------
    ValueError
        For any other.
    """
    found: np.dtype | None
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError, OverflowError, RecursionError):
        found = None
    if found is None or found not in DTYPES:
        raise ValueError(f"dtype must be float32 or float64, not {shown(dtype)}")
    return found


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


def as_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple of Python ints, checked.

    Parameters
    ----------
    shape : int or sequence of int
        None may be negative, and the array must fit into the address space.

    Raises
    ------
    TypeError
        For anything that is no integer nor a sequence of them.
    ValueError
        For a negative length, or more elements than an array can have.
    """
    if type(shape) is tuple and len(shape) == 2:  # the usual case, several times as fast
        rows, columns = shape
        plain = type(rows) is int and type(columns) is int and rows > 0 and columns > 0
        if plain and rows * columns <= _MOST_ELEMENTS:
            return shape
    lengths = (shape,) if isinstance(shape, (int, np.integer)) else elements(shape)
    try:
        if lengths is None or any(isinstance(length, (bool, np.bool_)) for length in lengths):
            raise TypeError
        checked = tuple(map(operator.index, lengths))
    except TypeError:
        raise TypeError(f"shape must be integers, not {shown(shape)}") from None
    if min(checked, default=0) < 0:
        raise ValueError(f"shape must not have negative lengths: {shown(shape)}")
    if len(checked) > _MOST_AXES:
        raise ValueError(f"shape must have at most {_MOST_AXES} axes, not {len(checked)}")
    if math.prod(filter(None, checked)) > _MOST_ELEMENTS:  # NumPy refuses (0, 2**70) too
        raise ValueError(f"shape has more elements than an array can hold: {shown(shape)}")
    return checked


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


def as_widths(name: str, value: Any, fewest: int = 1) -> tuple[int, ...]:
    """Return the widths of layers as Python ints, checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : sequence of int
        Positive integers; their products must fit into the address space.
    fewest : int
        The least number of them.

    Raises
    ------
    ValueError
        For anything else.
    """
    widths = elements(value)
    if widths is None or len(widths) < fewest:
        count = {1: "one or more", 2: "two or more"}.get(fewest, f"{fewest} or more")
        raise ValueError(f"{name} must be {count} positive widths, not {shown(value)}")
    checked = tuple(whole(f"a width in {name}", width, 1) for width in widths)
    if sum(a * b for a, b in itertools.pairwise((*checked, 1))) > _MOST_ELEMENTS:
        raise ValueError(f"{name} has more weights than an array can hold: {shown(value)}")
    return checked


def too_large(name: str, value: Any) -> ValueError:
    """Return the error for an argument that asks for more memory than the machine has.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : object
        Its value.
    """
    return ValueError(f"{name} must fit into memory, and {shown(value)} does not")


def as_output(out: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array to be filled as NumPy sees it, sharing its memory, checked.

    Parameters
    ----------
    out : array
        A NumPy array, or anything whose ``__array__`` or buffer gives a writable view of it,
        such as a CPU tensor of PyTorch. Any memory layout whose elements do not overlap is taken.
    shape : tuple of int
        The shape it must have.

    Raises
    ------
    TypeError
        When `out` gives no array that shares its memory.
    ValueError
        When shape or dtype do not fit, or it cannot be written, or its elements overlap.
    """
    source = out
    try:
        if not isinstance(out, np.ndarray):
            source = out.detach() if hasattr(out, "detach") else memoryview(out)
        view = np.asarray(source)
    except (TypeError, RuntimeError, BufferError) as error:
        raise TypeError(
            f"out must give a writable NumPy view, and {type(out).__name__} does not: {error}"
        ) from None
    if view.shape != shape:
        raise ValueError(f"out must have shape {shape}, not {view.shape}")
    as_dtype(view.dtype)
    check_layout(view)
    return view


def check_layout(view: np.ndarray) -> None:
    """Check that an array can be written and that no two of its elements share memory.

    Raises
    ------
    ValueError
        When it is read-only or misaligned, or elements share memory.
    """
    flags = view.flags
    if not flags.writeable:
        raise ValueError("out must be writable")
    if not flags.aligned:
        raise ValueError("out must be aligned to its element size")
    if flags.c_contiguous:
        return
    reach = view.itemsize
    axes = zip(view.strides, view.shape, strict=True) if view.size else ()
    for stride, length in sorted((abs(step), length) for step, length in axes if length > 1):
        if stride < reach:
            raise ValueError("out must not have elements that share memory, nor interleaved axes")
        reach += stride * (length - 1)


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
