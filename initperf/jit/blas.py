"""Matrix products through BLAS for compiled code, in place and without copies.

``numpy.matmul`` cannot add to its output, Numba's ``np.dot`` wants contiguous matrices and
``scipy.linalg.blas`` copies submatrices. A call of BLAS by address has none of
these limits and needs no interpreter. Addresses are arguments, because cached machine code must not
contain an address of one process.

A matrix here is a 2-D float32 or float64 view with unit stride along one of its axes, so
transposes and submatrices are free. Fortran stores columns one after another, so it reads a matrix
in C order as its transpose.
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
    """Return the addresses of gemm, syrk and trsm for a dtype.

    Those of the OpenBLAS in NumPy's wheels, so that initperf multiplies as fast as NumPy; without
    it, those that ``scipy.linalg.cython_blas`` publishes.
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
    """Call a Fortran routine, which takes references to numbers and to the starts of arrays.

    Integers are passed as 64 bits; a BLAS with 32-bit integers reads the lower half of each, on
    a little-endian machine.
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
    """Return whether BLAS is to read a matrix row after row, else column after column.

    The stride along an axis of length 1 says nothing: NumPy leaves any number there. So each
    reading is checked against the lengths too, and where both hold, the unit stride decides.
    """
    rows, columns = matrix.shape
    down, along = matrix.strides[0] // matrix.itemsize, matrix.strides[1] // matrix.itemsize
    rows_follow = (along == 1 or columns <= 1) and (rows <= 1 or down >= columns)
    columns_follow = (down == 1 or rows <= 1) and (columns <= 1 or along >= rows)
    return rows_follow and (along == 1 or not columns_follow)


@portable
def _leading(matrix: np.ndarray) -> int:
    """Return the leading dimension: entries from one row (or column) to the next.

    BLAS refuses less than the length of a row, even where there is no second one.
    """
    rows, columns = matrix.shape
    if _by_rows(matrix):
        length, apart, count = columns, matrix.strides[0] // matrix.itemsize, rows
    else:
        length, apart, count = rows, matrix.strides[1] // matrix.itemsize, columns
    leading: int = max(1, length, apart if count > 1 else 1)
    return leading


@portable
def _turn(matrix: np.ndarray, by_rows: bool) -> np.uint8:
    return _AS_IT_IS if _by_rows(matrix) == by_rows else _TRANSPOSED


@portable
def multiply(
    addresses: Addresses, a: np.ndarray, b: np.ndarray, out: np.ndarray, alpha: float, beta: float
) -> None:
    """Set ``out`` to ``alpha * a @ b + beta * out``.

    Parameters
    ----------
    addresses : tuple of int
        Those of `blas` for the dtype of the matrices.
    a, b : numpy.ndarray
        (rows, inner) and (inner, columns), float32 or float64, with unit stride along an axis.
    out : numpy.ndarray
        (rows, columns), of the same dtype, with unit stride along an axis, written.
    alpha, beta : float
        Factors of the product and of what `out` held before; with 0 it is not read.
    """
    rows, columns = out.shape
    if rows == 0 or columns == 0:
        return
    inner, by_rows = a.shape[1], _by_rows(out)
    scale, keep, gap = like(out, alpha), like(out, beta), _leading(out)
    a_turn, a_gap = _turn(a, by_rows), _leading(a)
    b_turn, b_gap = _turn(b, by_rows), _leading(b)
    # a product by rows is, for Fortran, the transpose of one by columns: the factors change places
    if by_rows:
        arguments = (
            b_turn, a_turn, columns, rows, inner, scale, b, b_gap, a, a_gap, keep, out, gap
        )  # fmt: skip
        _call(addresses[0], arguments)
    else:
        arguments = (
            a_turn, b_turn, rows, columns, inner, scale, a, a_gap, b, b_gap, keep, out, gap
        )  # fmt: skip
        _call(addresses[0], arguments)


@portable
def gram(addresses: Addresses, rows: np.ndarray, out: np.ndarray) -> None:
    """Write the upper triangle of ``rows @ rows.T``.

    Parameters
    ----------
    addresses : tuple of int
        Those of `blas` for the dtype of the matrices.
    rows : numpy.ndarray
        (count, length), unit stride along the rows.
    out : numpy.ndarray
        (count, count), unit stride along the rows; the lower triangle is left as it is.
    """
    count, length = rows.shape
    one, zero = like(out, 1.0), like(out, 0.0)
    arguments = (
        _LOWER, _TRANSPOSED, count, length, one, rows, _leading(rows), zero, out, _leading(out)
    )  # fmt: skip
    _call(addresses[1], arguments)


@portable
def solve_upper(
    addresses: Addresses, triangle: np.ndarray, out: np.ndarray, transposed: bool
) -> None:
    """Set ``out`` to ``inv(triangle) @ out``.

    Parameters
    ----------
    addresses : tuple of int
        Those of `blas` for the dtype of the matrices.
    triangle : numpy.ndarray
        (count, count), unit stride along the rows; only the upper triangle is read.
    out : numpy.ndarray
        (count, columns), unit stride along the rows, updated.
    transposed : bool
        Whether to use the inverse of the triangle's transpose instead.
    """
    count, columns = out.shape
    if columns:
        turn = _TRANSPOSED if transposed else _AS_IT_IS
        one, gap, out_gap = like(out, 1.0), _leading(triangle), _leading(out)
        arguments = (
            _RIGHT, _LOWER, turn, _NOT_UNIT, columns, count, one, triangle, gap, out, out_gap
        )  # fmt: skip
        _call(addresses[2], arguments)


@functools.cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  # its BLAS is found only once it is loaded

    return ThreadpoolController().select(user_api="blas")


def _threads() -> int:
    return min((one.get_num_threads() for one in _libraries().lib_controllers), default=1)


@contextmanager
def serial_blas() -> Iterator[int]:
    """Limit BLAS to one thread a call, and yield how many threads should call it.

    That is the number of threads that BLAS had. Serial calls side by side need no synchronisation
    inside BLAS, and leave no worker of its pool spinning for milliseconds. The number is 1 where
    BLAS is limited to one thread already, perhaps by another thread of this process, and where the
    limit has no effect; BLAS may then use threads of its own.
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
    """Limit NumPy's and SciPy's BLAS pools to `count` threads within a ``with`` block."""
    import scipy.linalg  # noqa: F401 - loads SciPy's pool, which could not be limited otherwise

    with threadpool_limits(limits=count, user_api="blas"):
        yield


def one_thread_blas() -> AbstractContextManager[None]:
    """Limit NumPy's and SciPy's BLAS pools to one thread within a ``with`` block."""
    return blas_threads(1)
