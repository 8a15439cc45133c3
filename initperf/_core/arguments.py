"""Checks of arguments: shapes, dtypes, backends, output arrays, numbers and choices."""

import difflib
import math
import operator
import sys
from typing import Any

import numpy as np

from initperf._core.registry import Registry

DTYPES = np.dtype("float32"), np.dtype("float64")


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Check an element type: float32 or float64.

    Raises
    ------
    ValueError
        For any other.
    """
    found: np.dtype | None
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in DTYPES:
        raise ValueError(f"dtype must be float32 or float64, not {dtype!r}")
    return found


def as_backend(backend: str) -> str:
    """Check the name of a backend.

    Raises
    ------
    ValueError
        For any that is not ``"numpy"`` or ``"numba"``.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be 'numpy' or 'numba', not {backend!r}")
    return backend


def as_shape(shape: Any) -> tuple[int, ...]:
    """Check a shape: an integer or a sequence of them, none negative, that fits in memory.

    Raises
    ------
    TypeError
        For anything that is no integer nor a sequence of them.
    ValueError
        For a negative length, or more elements than an array can have.
    """
    try:
        lengths = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        checked = tuple(map(operator.index, lengths))
    except TypeError:
        raise TypeError(f"shape must be integers, not {shape!r}") from None
    if bool in map(type, lengths):
        raise TypeError(f"shape must be integers, not {shape!r}")
    if min(checked, default=0) < 0:
        raise ValueError(f"shape must not have negative lengths: {shape!r}")
    if math.prod(checked) > sys.maxsize // 8:
        raise ValueError(f"shape has more elements than an array can hold: {shape!r}")
    return checked


def as_output(out: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Check an array to be filled and return it as NumPy sees it, sharing its memory.

    Parameters
    ----------
    out : array
        A NumPy array, or anything whose ``__array__`` or buffer gives a writable view of it,
        such as a CPU tensor of PyTorch. Any memory layout whose elements do not overlap will do.
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
    """Check that an array can be written, and each of its elements apart from the others.

    Raises
    ------
    ValueError
        When it cannot.
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


BACKENDS = ("numpy", "numba")


def finite(**values: float) -> None:
    """Check that parameters are finite numbers; raise ValueError naming the one that is not."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise ValueError(f"{name} must be a number, not {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, not {value!r}")


def not_negative(**values: float) -> None:
    """Check that parameters are finite and at least 0; raise ValueError naming the one."""
    finite(**values)
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} must be at least 0, not {value!r}")


def one_of(allowed: tuple[str, ...], **values: str) -> None:
    """Check that parameters are among some words; raise ValueError suggesting the nearest."""
    for name, value in values.items():
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}{hint}")


def integral(**values: int) -> None:
    """Check that parameters are integers; raise ValueError naming the one that is not."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise ValueError(f"{name} must be an integer, not {value!r}")


def choice(kind: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return the one of some words that `value` spells; raise UnknownNameError for another."""
    names: Registry[str] = Registry(kind)
    for name in allowed:
        names.register(name, name)
    return names[value]


def number(name: str, value: Any, below: float = float("inf"), above: float = 0.0) -> float:
    """Return a number at least `above` and less than `below`; raise ValueError for another."""
    number = float(value)
    if not above <= number < below:
        most = "" if below == float("inf") else f" and below {below:g}"
        raise ValueError(f"{name} must be at least {above:g}{most}, not {value!r}")
    return number


def whole(name: str, value: Any, least: int) -> int:
    """Return an integer of at least `least`; raise ValueError for another."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")
    return int(value.__index__())
