"""Views without overhead in compiled code: rows of an array, and arrays without an owner.

Numba's ``reshape`` computes strides for arrays of any layout, by a call and divisions, which takes
as long as a row of a narrow layer. And every view of an array with an owner increments and
decrements a reference count, in atomic operations: 5 % of a step in narrow layers.
"""

from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from initperf.jit.internals import (
    TypingError,
    array_maker,
    cgutils,
    fill_array,
    missing,
    struct_value,
)
from initperf.jit.policy import INLINED

T = TypeVar("T", bound=tuple[Any, ...])


def as_rows(array: np.ndarray, count: int, length: int) -> np.ndarray:
    """Return the first entries of an array as a matrix; the array must outlive the view.

    Parameters
    ----------
    array : numpy.ndarray
        In C order, at least count * length entries.
    count, length : int
        Shape of the view.
    """
    return array.reshape(-1)[: count * length].reshape((count, length))


def as_row(array: np.ndarray) -> np.ndarray:
    """Return an array in C order as 1-D; the array must outlive the view."""
    return array.reshape(-1)


def unowned(arrays: T) -> T:
    """Return a named tuple with arrays that own nothing, in nested tuples too.

    The arrays that are given must outlive it.
    """
    return arrays


@intrinsic
def _native_view(typing, array, shape):  # type: ignore[no-untyped-def]  # numba's types
    if array.layout != "C":
        raise TypingError(f"rows are of an array in C order, not of {array}")
    result = types.Array(array.dtype, len(shape), "C")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = array_maker(array)(context, builder, values[0]).data
        size = context.get_constant(types.intp, array.dtype.bitwidth // 8)
        strides = [size]
        for length in cgutils.unpack_tuple(builder, values[1])[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        view = array_maker(result)(context, builder)
        packed = cgutils.pack_array(builder, strides)
        fill_array(view, data=data, shape=values[1], strides=packed, itemsize=size, meminfo=None)
        return struct_value(view)

    return result(array, shape), generate


def _disowned(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return an array without its owner, or a tuple whose arrays, however deep, have none."""
    if isinstance(kind, types.Array):
        array = array_maker(kind)(context, builder, value)
        for owner in ("meminfo", "parent"):
            setattr(array, owner, ir.Constant(getattr(array, owner).type, None))
        return struct_value(array)
    if isinstance(kind, types.BaseTuple):
        for place, inner in enumerate(kind.types):
            field = builder.extract_value(value, place)
            value = builder.insert_value(value, _disowned(context, builder, inner, field), place)
    return value


@intrinsic
def _native_unowned(typing, arrays):  # type: ignore[no-untyped-def]  # numba's types
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _disowned(context, builder, arrays, values[0])

    return arrays(arrays), generate


@overload(as_rows, jit_options=INLINED)
def _as_rows(array, count, length):  # type: ignore[no-untyped-def]  # numba's types
    if missing("views"):
        return lambda array, count, length: array.reshape(array.size)[: count * length].reshape(
            (count, length)
        )
    return lambda array, count, length: _native_view(array, (count, length))


@overload(as_row, jit_options=INLINED)
def _as_row(array):  # type: ignore[no-untyped-def]  # numba's types
    if missing("views"):
        return lambda array: array.reshape(array.size)
    return lambda array: _native_view(array, (array.size,))


@overload(unowned, jit_options=INLINED)
def _unowned(arrays):  # type: ignore[no-untyped-def]  # numba's types
    if missing("views"):
        return lambda arrays: arrays
    return lambda arrays: _native_unowned(arrays)
