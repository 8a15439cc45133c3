"""Products of SciPy's BLAS on matrices as they lie in memory: in place, without copies.

``numpy.matmul`` cannot add to its output, and ``scipy.linalg.blas`` copies a submatrix before it
works on it. The addresses that ``scipy.linalg.cython_blas`` publishes for compiled code do
neither, and ctypes releases the interpreter lock around them. A matrix here is a 2-D float32 or
float64 view with unit stride along one of its axes, so transposes and submatrices are free.
"""

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from numba.extending import get_cython_function_address
from threadpoolctl import ThreadpoolController

_ENTERING = threading.Lock()
_REALS: dict[str, tuple[str, Any]] = {"f": ("s", ctypes.c_float), "d": ("d", ctypes.c_double)}


@functools.cache
def _routine(name: str) -> Callable[..., None]:
    return ctypes.CFUNCTYPE(None)(get_cython_function_address("scipy.linalg.cython_blas", name))


def _call(name: str, dtype: np.dtype[Any], *arguments: Any) -> None:
    letter, real = _REALS[dtype.char]
    passed: list[Any] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            passed.append(ctypes.c_void_p(argument.ctypes.data))
        elif isinstance(argument, float):
            passed.append(ctypes.byref(real(argument)))
        elif isinstance(argument, int):
            # little-endian, so a BLAS with 32-bit integers reads the lower half, which is all
            passed.append(ctypes.byref(ctypes.c_int64(argument)))
        else:
            passed.append(argument)
    _routine(letter + name)(*passed)


def _by_rows(matrix: np.ndarray) -> bool:
    return matrix.strides[1] == matrix.itemsize


def _layout(matrix: np.ndarray) -> tuple[bytes, np.ndarray, int]:
    """Return how Fortran, which sees rows as columns, must read a matrix to see its transpose."""
    rows = _by_rows(matrix)
    stride = matrix.strides[0 if rows else 1] // matrix.itemsize
    return b"N" if rows else b"T", matrix, max(stride, matrix.shape[1 if rows else 0], 1)


def multiply(
    a: np.ndarray, b: np.ndarray, out: np.ndarray, alpha: float = 1.0, beta: float = 0.0
) -> None:
    """Set ``out`` to ``alpha * a @ b + beta * out``."""
    if not _by_rows(out):
        a, b, out = b.T, a.T, out.T
    rows, columns = out.shape
    if out.size:
        left, a, a_stride = _layout(a)
        right, b, b_stride = _layout(b)
        sizes = columns, rows, a.shape[1]
        factors = b, b_stride, a, a_stride
        _call("gemm", out.dtype, right, left, *sizes, alpha, *factors, beta, *_layout(out)[1:])


def gram(rows: np.ndarray, out: np.ndarray) -> None:
    """Write the upper triangle of ``rows @ rows.T``; both lie by rows."""
    count, length = rows.shape
    source, target = _layout(rows)[1:], _layout(out)[1:]
    _call("syrk", out.dtype, b"L", b"T", count, length, 1.0, *source, 0.0, *target)


def solve_upper(triangle: np.ndarray, out: np.ndarray, transposed: bool = False) -> None:
    """Set ``out`` to ``inv(triangle) @ out``, or with its transpose; both lie by rows.

    Only the upper triangle of `triangle` is read.
    """
    count, columns = out.shape
    if columns:
        turn = b"T" if transposed else b"N"
        source, target = _layout(triangle)[1:], _layout(out)[1:]
        _call("trsm", out.dtype, b"R", b"L", turn, b"N", columns, count, 1.0, *source, *target)


@functools.cache
def _libraries() -> ThreadpoolController:
    _routine("sgemm")  # loads SciPy's BLAS, which is found only once it is there
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
