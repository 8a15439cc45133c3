"""Views for compiled code that cost nothing: rows of an array, and arrays without an owner.

Numba's ``reshape`` works out strides for arrays of any layout, by a call and divisions, which
takes as long as a row of a narrow layer. And every view that it makes of an array with an owner
is counted there and counted off, in atomic operations: a twentieth of a step in narrow layers.
"""

from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array

T = TypeVar("T", bound=tuple[Any, ...])


def as_rows(array: np.ndarray, count: int, length: int) -> np.ndarray:
    """Return the first `count` rows of an array in C order; the array must outlive the view."""
    return array.reshape(-1)[: count * length].reshape((count, length))


def as_row(array: np.ndarray) -> np.ndarray:
    """Return all of an array in C order as one row; the array must outlive the view."""
    return array.reshape(-1)


def unowned(arrays: T) -> T:
    """Return a named tuple whose arrays are views without an owner, which must outlive them."""
    return arrays


def _view(
    context: Any, builder: Any, kind: types.Array, source: Any, result: types.Array, shape: Any
) -> Any:
    """Make a C-ordered view, without an owner, of the memory of an array."""
    data = make_array(kind)(context, builder, source).data
    view = make_array(result)(context, builder)
    size = context.get_constant(types.intp, kind.dtype.bitwidth // 8)
    strides = [size]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length))
    pair = (cgutils.pack_array(builder, lengths) for lengths in (shape, strides))
    populate_array(view, data, *pair, size, meminfo=None)
    return view._getvalue()


@intrinsic
def _native_rows(typing, array, count, length):  # type: ignore[no-untyped-def]  # numba's types
    result = types.Array(array.dtype, 2, "C")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source, *shape = values
        return _view(context, builder, signature.args[0], source, result, shape)

    return result(array, types.intp, types.intp), generate


@intrinsic
def _native_row(typing, array, length):  # type: ignore[no-untyped-def]  # numba's types
    result = types.Array(array.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source, *shape = values
        return _view(context, builder, signature.args[0], source, result, shape)

    return result(array, types.intp), generate


@intrinsic
def _native_unowned(typing, arrays):  # type: ignore[no-untyped-def]  # numba's types
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        (result,) = values
        for place, kind in enumerate(arrays.types):
            if isinstance(kind, types.Array):
                array = make_array(kind)(context, builder, builder.extract_value(result, place))
                for owner in ("meminfo", "parent"):
                    nobody = ir.Constant(getattr(array, owner).type, None)
                    setattr(array, owner, nobody)
                result = builder.insert_value(result, array._getvalue(), place)
        return result

    return arrays(arrays), generate


@overload(as_rows)
def _as_rows(array, count, length):  # type: ignore[no-untyped-def]  # numba's types
    return lambda array, count, length: _native_rows(array, count, length)


@overload(as_row)
def _as_row(array):  # type: ignore[no-untyped-def]  # numba's types
    return lambda array: _native_row(array, array.size)


@overload(unowned)
def _unowned(arrays):  # type: ignore[no-untyped-def]  # numba's types
    return lambda arrays: _native_unowned(arrays)
