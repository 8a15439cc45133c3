"""Atomic operations on shared arrays of int64, and ways to wait for another thread.

All operations are sequentially consistent: every thread sees them in one order. They exist in
compiled code alone; those that wait, on POSIX systems alone.
"""

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from initperf.jit.internals import cgutils

_ORDER = "seq_cst"
_WORD = ir.IntType(64)
_BYTES = 8
_POINTER = ir.IntType(8).as_pointer()
_NULLS = {"pthread_mutex_init": 1, "pthread_cond_init": 1}
"""Functions of POSIX that take attributes, which are the usual ones if null."""

_ARM = ("llvm.aarch64.hint", (1,))
_PAUSES: dict[str, tuple[str, tuple[int, ...]]] = {
    "x86_64": ("llvm.x86.sse2.pause", ()),
    "AMD64": ("llvm.x86.sse2.pause", ()),
    "aarch64": _ARM,
    "arm64": _ARM,
}
"""By machine, LLVM's intrinsic that tells the processor of a loop that waits, and its operands."""


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


@intrinsic
def fetch(typing, array, index):  # type: ignore[no-untyped-def]  # numba's types
    """Return an entry of a contiguous 1-D array of int64."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _place(context, builder, array, *values)
        return builder.load_atomic(place, _ORDER, _BYTES, typ=_WORD)

    return types.int64(array, types.intp), generate


@intrinsic
def store(typing, array, index, value):  # type: ignore[no-untyped-def]  # numba's types
    """Set an entry of a contiguous 1-D array of int64."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store_atomic(
            values[2], _place(context, builder, array, *values[:2]), _ORDER, _BYTES
        )
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), generate


@intrinsic
def add(typing, array, index, value):  # type: ignore[no-untyped-def]  # numba's types
    """Add to an entry of a contiguous 1-D array of int64; return what it was before."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _place(context, builder, array, *values[:2])
        return builder.atomic_rmw("add", place, values[2], _ORDER)

    return types.int64(array, types.intp, types.int64), generate


@intrinsic
def replace(typing, array, index, expected, value):  # type: ignore[no-untyped-def]  # its types
    """Set an entry of a contiguous 1-D array of int64 if it is as expected; return whether."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _place(context, builder, array, *values[:2])
        return builder.extract_value(builder.cmpxchg(place, *values[2:], _ORDER, _ORDER), 1)

    return types.boolean(array, types.intp, types.int64, types.int64), generate


@intrinsic
def pause(typing):  # type: ignore[no-untyped-def]  # numba's types
    """Let the processor rest for some tens of cycles, as a loop that waits for a store should."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if platform.machine() in _PAUSES:
            name, operands = _PAUSES[platform.machine()]
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)] * len(operands))
            function = cgutils.get_or_insert_function(builder.module, kind, name)
            builder.call(function, [ir.IntType(32)(operand) for operand in operands])
        return context.get_dummy_value()

    return types.void(), generate


def _system_call(name: str) -> Any:
    """Return an intrinsic that calls a function of POSIX with addresses of entries of an array.

    Parameters
    ----------
    name : str
        Of the function. It takes pointers and returns an int, which is dropped.
    """

    @intrinsic
    def call(typing, array, places):  # type: ignore[no-untyped-def]  # numba's types
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            pointers = [
                builder.bitcast(_place(context, builder, array, values[0], place), _POINTER)
                for place in cgutils.unpack_tuple(builder, values[1])
            ]
            operands = pointers + [ir.Constant(_POINTER, None)] * _NULLS.get(name, 0)
            kind = ir.FunctionType(ir.IntType(32), [_POINTER] * len(operands))
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)
            return context.get_dummy_value()

        return types.void(array, places), generate

    return call


give_way = _system_call("sched_yield")
make_mutex = _system_call("pthread_mutex_init")
lock = _system_call("pthread_mutex_lock")
unlock = _system_call("pthread_mutex_unlock")
make_condition = _system_call("pthread_cond_init")
wait_for = _system_call("pthread_cond_wait")
notify_all = _system_call("pthread_cond_broadcast")
