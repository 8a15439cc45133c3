"""Cache lines: prefetching for writing, stores past the caches, and arrays that start at a line.

Stores that miss the cache fill the store buffer and stall the core. A prefetch of the line for
writing, early enough, avoids that. A line that is stored whole need not be read from memory first:
a non-temporal store does not, and sets the limit of arrays larger than the last cache. Fills do
not use it: of 4096 x 4096 float32 it makes a uniform fill 1.07 times as long on two threads and
1.4 times on one, for its values must be made in a buffer, and the stores do not overlap with that.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from initperf.jit.policy import INLINED, portable

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


overload(prefetch, jit_options=INLINED)(
    lambda array, index: lambda array, index: _hint(array, index)
)


def stream_line(array: np.ndarray, index: int, values: np.ndarray, begin: int) -> None:
    """Copy one cache line of values by a non-temporal store.

    Parameters
    ----------
    array : numpy.ndarray
        Written; contiguous, 1-D.
    index : int
        Index of its first entry that is written, which lies at the start of a line.
    values : numpy.ndarray
        Contiguous, 1-D, of the same dtype.
    begin : int
        Index of the first value that is copied.
    """
    count = LINE_BYTES // array.itemsize
    array[index : index + count] = values[begin : begin + count]


@intrinsic
def _stream(typing: Any, array: Any, index: Any, values: Any, begin: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        entry_bytes = array.dtype.bitwidth // 8
        line = ir.VectorType(context.get_value_type(array.dtype), LINE_BYTES // entry_bytes)

        def place(kind: Any, value: Any, at: Any) -> Any:
            data = context.make_array(kind)(context, builder, value).data
            return builder.bitcast(builder.gep(data, [at]), line.as_pointer())

        loaded = builder.load(place(values, *arguments[2:]), align=entry_bytes)
        store = builder.store(loaded, place(array, *arguments[:2]), align=LINE_BYTES)
        store.set_metadata("nontemporal", builder.module.add_metadata([_WORD(1)]))
        return context.get_dummy_value()

    return types.void(array, index, values, begin), generate


overload(stream_line, jit_options=INLINED)(
    lambda array, index, values, begin: (
        lambda array, index, values, begin: _stream(array, index, values, begin)
    )
)


def finish_streams() -> None:
    """Let no later store of this thread be seen before its non-temporal ones, which are unordered.

    Whoever waits for the thread by a lock then finds what it stored.
    """


@intrinsic
def _fence(typing: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


overload(finish_streams, jit_options=INLINED)(lambda: lambda: _fence())


@portable
def first_of_line(address: int, itemsize: int) -> int:
    """Return the index of the first entry of an array that lies at the start of a cache line.

    Parameters
    ----------
    address, itemsize : int
        Of the array's data, and bytes of an entry, which divide the address.
    """
    return -(address // itemsize) % (LINE_BYTES // itemsize)


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
