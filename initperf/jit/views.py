"""Views without overhead in compiled code: rows of an array, and arrays without an owner.

Numba's ``reshape`` computes strides for arrays of any layout, by a call and divisions, which takes
as long as a row of a narrow layer. And every view of an array with an owner increments and
decrements a reference count, in atomic operations: 5 % of a step in narrow layers.
"""

from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array

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
        data = make_array(array)(context, builder, values[0]).data
        size = context.get_constant(types.intp, array.dtype.bitwidth // 8)
        strides = [size]
        for length in cgutils.unpack_tuple(builder, values[1])[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        view = make_array(result)(context, builder)
        packed = cgutils.pack_array(builder, strides)
        populate_array(view, data, values[1], packed, size, meminfo=None)
        return view._getvalue()

    return result(array, shape), generate


def _disowned(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return an array without its owner, or a tuple whose arrays, however deep, have none."""
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value)
        for owner in ("meminfo", "parent"):
            setattr(array, owner, ir.Constant(getattr(array, owner).type, None))
        return array._getvalue()
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


@overload(as_rows)
def _as_rows(array, count, length):  # type: ignore[no-untyped-def]  # numba's types
    return lambda array, count, length: _native_view(array, (count, length))


@overload(as_row)
def _as_row(array):  # type: ignore[no-untyped-def]  # numba's types
    return lambda array: _native_view(array, (array.size,))


@overload(unowned)
def _unowned(arrays):  # type: ignore[no-untyped-def]  # numba's types
    return lambda arrays: _native_unowned(arrays)
