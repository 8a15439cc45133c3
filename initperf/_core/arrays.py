"""Checks of arguments that describe arrays, and of arrays to be filled.

They raise and convert as those of `initperf._core.arguments` do.
"""

import itertools
import math
import operator
import sys
from typing import Any

import numpy as np

from initperf._core.arguments import elements, shown, whole

DTYPES = np.dtype("float32"), np.dtype("float64")

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


def as_numbers(name: str, values: Any) -> np.ndarray:
    """Return numbers as a float64 array.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    values : array_like

    Raises
    ------
    ValueError
        For what is no array of numbers, or holds an integer beyond float64.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be numbers below 1.8e308, not {shown(values)}") from None


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
