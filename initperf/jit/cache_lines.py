"""Cache lines: prefetching for writing, and arrays that start at one.

Stores that miss the cache fill the store buffer and stall the core. A prefetch of the line for
writing, early enough, avoids that.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LINE_BYTES = 64

_WORD = ir.IntType(32)
_TO_WRITE, _TO_ALL_LEVELS, _DATA = _WORD(1), _WORD(3), _WORD(1)


def prefetch(array: np.ndarray, index: int) -> None:
    """Prefetch the line of an entry of a contiguous 1-D array for writing.

    Parameters
    ----------
    array : numpy.ndarray
        Contiguous, 1-D.
    index : int
        Index of the entry; one outside the array is harmless.
    """


@intrinsic
def _hint(typing: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(array)(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        kinds = [place.type, *[_WORD] * 3]
        instruction = builder.module.declare_intrinsic(
            "llvm.prefetch", kinds[:1], ir.FunctionType(ir.VoidType(), kinds)
        )
        builder.call(instruction, [place, _TO_WRITE, _TO_ALL_LEVELS, _DATA])
        return context.get_dummy_value()

    return types.void(array, index), generate


overload(prefetch)(lambda array, index: lambda array, index: _hint(array, index))


def aligned_zeros(shape: int | tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Return a new array of zeros, in C order, that starts at the start of a cache line.

    Parameters
    ----------
    shape : int or tuple of int
        Its shape.
    dtype : numpy.dtype
        Its dtype.
    """
    kind = np.dtype(dtype)
    size = math.prod(np.atleast_1d(shape).tolist()) * kind.itemsize
    room = np.zeros(size + LINE_BYTES, np.uint8)
    begin = -room.ctypes.data % LINE_BYTES
    values: np.ndarray = room[begin : begin + size].view(kind).reshape(shape)
    return values
