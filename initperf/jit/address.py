"""Calls of compiled functions by address, so that each is compiled once and only if it is used.

A compiled function that calls another includes its code and compiles it again; one that chooses
among ten includes all ten. Called by address instead, by Numba's own calling convention, a
function is compiled separately when its address is first requested. Addresses are passed as
arguments, because cached machine code must not contain one. With the compiler disabled a function
stands for its own address.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from initperf.jit.internals import TypingError, cgutils, compiles
from initperf.jit.policy import INLINED, Function

Signature = Callable[[Any], tuple[Any, ...]]


class Family:
    """Functions without a result and with the same arguments, any of which an address can denote.

    Parameters
    ----------
    signature : callable
        From Numba's float32 or float64 to the types of the arguments, the first of which is an
        array of that type, or a named tuple whose first field is.

    Attributes
    ----------
    call : callable
        ``call(address, *arguments)``, in compiled code and in Python.
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self.call = _caller(signature)

    def address(self, function: Function, dtype: np.dtype[Any]) -> Any:
        """Return the address of a jitted function for a dtype, compiling it if need be.

        Parameters
        ----------
        function : callable
            As `initperf.jit.jit` returns it.
        dtype : numpy.dtype
            float32 or float64.
        """
        if not compiles():
            return function
        return _compiled(self._signature, function, dtype)


@functools.cache  # keeps the function alive, and with it the machine code at the address
def _compiled(signature: Signature, function: Function, dtype: np.dtype[Any]) -> int:
    kinds = signature(numba.from_dtype(dtype))
    result = function.get_compile_result(types.none(*kinds))  # type: ignore[attr-defined]  # jitted
    address: int = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
    return address


ADDRESSES = types.UniTuple(types.int64, 3)
"""The type of what `initperf.jit.blas.blas` returns: the addresses of gemm, syrk and trsm."""


def vector(kind: Any) -> Any:
    """Return the type of a contiguous 1-D array."""
    return types.Array(kind, 1, "C")


def matrix(kind: Any) -> Any:
    """Return the type of a contiguous 2-D array."""
    return types.Array(kind, 2, "C")


def _caller(signature: Signature) -> Callable[..., None]:
    @intrinsic
    def jump(typing, address, arguments):  # type: ignore[no-untyped-def]  # numba's types
        kinds = tuple(arguments)

        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]  # its too
            convention = context.call_conv
            pointer = convention.get_function_type(types.none, kinds).as_pointer()
            status, _ = convention.call_function(
                builder,
                builder.inttoptr(values[0], pointer),
                types.none,
                kinds,
                cgutils.unpack_tuple(builder, values[1]),
            )
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.void(address, arguments), generate

    def call(address: Any, *arguments: Any) -> None:
        address(*arguments)

    def compiled(address, *arguments):  # type: ignore[no-untyped-def]  # numba's types
        first = arguments[0]
        if isinstance(first, types.BaseNamedTuple):
            first = first[0]
        expected = signature(first.dtype)
        if arguments != expected:
            raise TypingError(f"arguments of the types {arguments}; the function takes {expected}")
        return lambda address, *arguments: jump(address, arguments)

    overload(call, jit_options=INLINED)(compiled)
    return call
