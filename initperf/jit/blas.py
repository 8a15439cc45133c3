"""Matrix products of BLAS for compiled code, in place and without copies.

``numpy.matmul`` cannot add to its output, Numba's ``np.dot`` requires contiguous matrices and
``scipy.linalg.blas`` copies submatrices. BLAS called by address has none of these limits and
needs no interpreter. Addresses are passed as arguments, because cached machine code must not
contain one.

A matrix here is a 2-D float32 or float64 view with unit stride along one of its axes, so
transposes and submatrices cost nothing. BLAS expects columns to be contiguous and reads a matrix
whose rows are contiguous as its transpose.
"""

import ctypes
import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic, overload
from threadpoolctl import ThreadpoolController

from initperf.jit.policy import like, portable

Addresses = tuple[int, int, int]

_ROUTINES = ("gemm", "syrk", "trsm")
_AS_IT_IS, _TRANSPOSED = np.uint8(ord("N")), np.uint8(ord("T"))
_LOWER, _RIGHT, _NOT_UNIT = np.uint8(ord("L")), np.uint8(ord("R")), np.uint8(ord("N"))


@functools.cache
def blas(dtype: np.dtype[Any]) -> Addresses:
    """Return the addresses of gemm, syrk and trsm for float32 or float64.

    They are those of the OpenBLAS in NumPy's wheels, so that initperf multiplies no slower than
    NumPy, or else those that ``scipy.linalg.cython_blas`` publishes.
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
    """Call a Fortran routine: scalars are passed by reference, arrays by their first address.

    Integers are passed as 64 bits: a BLAS with 32-bit integers reads the lower half, which on a
    little-endian machine holds the value.
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
        As `blas` returns them, for the dtype of the matrices.
    a, b, out : numpy.ndarray
        Shapes (m, k), (k, n) and (m, n), one dtype; `out` shares no memory with the others.
    alpha, beta : float
        Factors, rounded to that dtype.
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
        As `blas` returns them, for the dtype of the arrays.
    rows, out : numpy.ndarray
        Shapes (count, length) and (count, count), rows contiguous.
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
    """Set ``out`` to ``inv(triangle) @ out``, or to ``inv(triangle.T) @ out``.

    Parameters
    ----------
    addresses : tuple of int
        As `blas` returns them, for the dtype of the arrays.
    triangle, out : numpy.ndarray
        Shapes (count, count) and (count, columns), rows contiguous. Only the upper triangle of
        `triangle` is read.
    transposed : bool
        Whether the transpose is inverted.
    """
    count, columns = out.shape
    if columns:
        turn = _TRANSPOSED if transposed else _AS_IT_IS
        one, gap, out_gap = like(out, 1.0), _leading(triangle), _leading(out)
        arguments = (
            _RIGHT, _LOWER, turn, _NOT_UNIT, columns, count, one, triangle, gap, out, out_gap
        )  # fmt: skip
        _call(addresses[2], arguments)


class _Limit:
    """Limit of the threads of every BLAS pool, shared by all blocks that are active at a time.

    The numbers of threads are saved when the first block is entered and restored when the last is
    left. In between the smallest of the active limits holds, whichever thread asked for it.
    """

    def __init__(self) -> None:
        self._renew()
        self._active: dict[object, tuple[int, int]] = {}  # thread and limit of each block
        self._saved: list[int] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def enter(self, block: object, count: int) -> int:
        """Add the limit of a block; return how many threads every pool could use before."""
        with self._lock:
            present = [pool.threads() for pool in _pools()]
            if not self._active:
                self._saved = present
            self._active[block] = threading.get_ident(), count
            self._apply()
            return min(present, default=1)

    def leave(self, block: object) -> None:
        """Remove the limit of a block."""
        with self._lock:
            del self._active[block]
            self._apply()

    def _apply(self) -> None:
        least = min((count for _, count in self._active.values()), default=None)
        for pool, saved in zip(_pools(), self._saved, strict=True):
            pool.limit(saved if least is None else least)

    def _forked(self) -> None:
        """Drop the limits of threads that do not exist in a forked child."""
        self._renew()
        own = {
            block: (thread, count)
            for block, (thread, count) in self._active.items()
            if thread == threading.get_ident()
        }
        if len(own) < len(self._active):
            self._active = own
            self._apply()


_LIMIT = _Limit()


class _Pool(NamedTuple):
    """Functions of one BLAS library that return and set the number of its threads."""

    threads: Callable[[], int]
    limit: Callable[[int], object]


@functools.cache
def _pools() -> tuple[_Pool, ...]:
    """Return the BLAS pools of the process: NumPy's and SciPy's, which are two in their wheels."""
    import scipy.linalg  # noqa: F401  # loads its pool, which could not be found otherwise

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return tuple(map(_pool, found))


def _pool(library: Any) -> _Pool:
    """Return the functions of a library that threadpoolctl has found.

    OpenBLAS is called itself, because threadpoolctl ignores all threads of Python but the first
    that sets a number, and the last block may end on another.
    """
    for prefix, suffix in itertools.product(("scipy_", ""), ("64_", "_64", "")):
        set_threads = f"{prefix}openblas_set_num_threads{suffix}"
        if hasattr(library.dynlib, set_threads):
            get_threads = set_threads.replace("_set_", "_get_")
            return _Pool(getattr(library.dynlib, get_threads), getattr(library.dynlib, set_threads))
    return _Pool(library.get_num_threads, library.set_num_threads)


@contextmanager
def blas_threads(count: int | None) -> Iterator[int]:
    """Limit every BLAS pool, NumPy's and SciPy's, to `count` threads a call within the block.

    Blocks may be nested and may be active on several threads at a time: the smallest of their
    limits holds, and when the last is left the pools have the threads that they had before the
    first. A block costs a few microseconds: the pools are found once a process, and their
    numbers of threads are read and set by calls of the library.

    With one thread a call, calls side by side need no synchronisation inside BLAS, and no worker
    of its pool keeps spinning for milliseconds on a processor that others could use.

    Parameters
    ----------
    count : int or None
        Threads a call; None leaves the pools as they are.

    Yields
    ------
    int
        Number of threads that calls of BLAS with one thread each may be made from: as many as
        every pool could use when the block was entered. It is 1 where an outer block, perhaps of
        another thread, limits BLAS to one thread already.
    """
    if count is None:
        yield min((pool.threads() for pool in _pools()), default=1)
        return
    block = object()
    before = _LIMIT.enter(block, count)
    try:
        yield before
    finally:
        _LIMIT.leave(block)
