"""Products of BLAS for compiled code, on matrices as they lie: in place, without copies.

``numpy.matmul`` cannot add to its output, Numba's ``np.dot`` wants contiguous matrices and
``scipy.linalg.blas`` copies submatrices. Calling BLAS by address does none of that and needs no
interpreter. Addresses are passed around as values, because machine code that is cached must not
hold one.

A matrix here is a 2-D float32 or float64 view with unit stride along one of its axes, so
transposes and submatrices are free. Fortran, which sees rows as columns, reads a matrix that lies
by rows as its transpose.
"""

import ctypes
import functools
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic, overload
from threadpoolctl import ThreadpoolController, threadpool_limits

from initperf.jit.policy import like, portable

Addresses = tuple[int, int, int]

_ROUTINES = ("gemm", "syrk", "trsm")
_ENTERING = threading.Lock()
_AS_IT_IS, _TRANSPOSED = np.uint8(ord("N")), np.uint8(ord("T"))
_LOWER, _RIGHT, _NOT_UNIT = np.uint8(ord("L")), np.uint8(ord("R")), np.uint8(ord("N"))


@functools.cache
def blas(dtype: np.dtype[Any]) -> Addresses:
    """Return where the products for a dtype are: gemm, syrk and trsm.

    They are those of the OpenBLAS in NumPy's wheels, so that initperf multiplies no slower than
    NumPy; where there is none, those that ``scipy.linalg.cython_blas`` publishes.
    """
    letter = {"float32": "s", "float64": "d"}[dtype.name]
    for library in ThreadpoolController().select(internal_api="openblas").lib_controllers:
        names = [f"scipy_{letter}{name}_64_" for name in _ROUTINES]
        if all(hasattr(library.dynlib, name) for name in names):
            gemm, syrk, trsm = (
                ctypes.cast(getattr(library.dynlib, name), ctypes.c_void_p).value or 0
                for name in names
            )
            return gemm, syrk, trsm
    gemm, syrk, trsm = (
        get_cython_function_address("scipy.linalg.cython_blas", letter + name) for name in _ROUTINES
    )
    return gemm, syrk, trsm


def _call(address: int, arguments: tuple[Any, ...]) -> None:
    """Call a Fortran routine: numbers go by reference, arrays by the address of their start.

    Integers go as 64 bits: on a little-endian machine a BLAS with 32-bit integers reads the
    lower half, which is all there is.
    """
    held = [np.asarray(argument) for argument in arguments]
    ctypes.CFUNCTYPE(None)(address)(*(ctypes.c_void_p(one.ctypes.data) for one in held))


@intrinsic
def _native_call(typing, address, arguments):  # type: ignore[no-untyped-def]  # numba's types
    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]  # its too
        pointers = []
        for kind, value in zip(arguments, cgutils.unpack_tuple(builder, values[1]), strict=True):
            if isinstance(kind, types.Array):
                pointers.append(context.make_array(kind)(context, builder, value).data)
            else:
                pointers.append(cgutils.alloca_once_value(builder, value))
        routine = ir.FunctionType(ir.VoidType(), [pointer.type for pointer in pointers])
        builder.call(builder.inttoptr(values[0], routine.as_pointer()), pointers)
        return context.get_dummy_value()

    return types.void(address, arguments), generate


@overload(_call)
def _compiled_call(address, arguments):  # type: ignore[no-untyped-def]  # numba's types
    return lambda address, arguments: _native_call(address, arguments)


@portable
def _by_rows(matrix: np.ndarray) -> bool:
    return matrix.strides[1] == matrix.itemsize


@portable
def _stride(matrix: np.ndarray) -> int:
    """Return the larger stride in entries, at least 1, as BLAS wants it."""
    return max(1, max(matrix.strides[0], matrix.strides[1]) // matrix.itemsize)


@portable
def _turn(matrix: np.ndarray, by_rows: bool) -> np.uint8:
    return _AS_IT_IS if _by_rows(matrix) == by_rows else _TRANSPOSED


@portable
def multiply(
    addresses: Addresses, a: np.ndarray, b: np.ndarray, out: np.ndarray, alpha: float, beta: float
) -> None:
    """Set ``out`` to ``alpha * a @ b + beta * out``."""
    rows, columns = out.shape
    if rows == 0 or columns == 0:
        return
    inner, by_rows = a.shape[1], _by_rows(out)
    a_turn, a_stride, b_turn, b_stride = (
        _turn(a, by_rows),
        _stride(a),
        _turn(b, by_rows),
        _stride(b),
    )
    scale, keep, stride = like(out, alpha), like(out, beta), _stride(out)
    # a product by rows is, for Fortran, the transpose of one by columns: the factors change places
    if by_rows:
        sizes = b_turn, a_turn, columns, rows, inner
        _call(addresses[0], (*sizes, scale, b, b_stride, a, a_stride, keep, out, stride))
    else:
        sizes = a_turn, b_turn, rows, columns, inner
        _call(addresses[0], (*sizes, scale, a, a_stride, b, b_stride, keep, out, stride))


@portable
def gram(addresses: Addresses, rows: np.ndarray, out: np.ndarray) -> None:
    """Write the upper triangle of ``rows @ rows.T``; both lie by rows."""
    count, length = rows.shape
    one, zero, sizes = like(out, 1.0), like(out, 0.0), (_LOWER, _TRANSPOSED, count, length)
    _call(addresses[1], (*sizes, one, rows, _stride(rows), zero, out, _stride(out)))


@portable
def solve_upper(
    addresses: Addresses, triangle: np.ndarray, out: np.ndarray, transposed: bool
) -> None:
    """Set ``out`` to ``inv(triangle) @ out``, or with its transpose; both lie by rows.

    Only the upper triangle of `triangle` is read.
    """
    count, columns = out.shape
    if columns:
        turn = _TRANSPOSED if transposed else _AS_IT_IS
        sizes = _RIGHT, _LOWER, turn, _NOT_UNIT, columns, count
        one = like(out, 1.0)
        _call(addresses[2], (*sizes, one, triangle, _stride(triangle), out, _stride(out)))


@functools.cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  # its BLAS is found only once it is loaded

    return ThreadpoolController().select(user_api="blas")


def _threads() -> int:
    return min((one.get_num_threads() for one in _libraries().lib_controllers), default=1)


@contextmanager
def serial_blas() -> Iterator[int]:
    """Keep BLAS to one thread a call, and give the number of threads to call it from.

    That is as many as BLAS had. Calls side by side need no synchronisation inside BLAS, and leave
    no worker of a pool behind that spins for milliseconds on a processor others could use. It is
    one where BLAS is kept to one thread already, by a caller on another thread perhaps, and where
    it cannot be, because another thread has the say over it; BLAS may then use its own.
    """
    with ExitStack() as limited:
        with _ENTERING:
            threads = _threads()
            if threads > 1:
                limited.enter_context(_libraries().limit(limits=1))
                threads = threads if _threads() == 1 else 1
        yield threads


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let every BLAS pool, NumPy's and SciPy's, use `count` threads within the block."""
    import scipy.linalg  # noqa: F401 - loads SciPy's pool, which could not be limited otherwise

    with threadpool_limits(limits=count, user_api="blas"):
        yield


def one_thread_blas() -> AbstractContextManager[None]:
    """Let every BLAS pool use a single thread within a ``with`` block."""
    return blas_threads(1)
