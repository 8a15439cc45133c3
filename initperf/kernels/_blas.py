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
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba.extending import get_cython_function_address
from threadpoolctl import ThreadpoolController

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


class _SerialBlas:
    """Every BLAS of the process at one thread for as long as anybody holds this.

    Threads that call BLAS side by side need no synchronisation inside it, and leave no worker
    of a pool behind that spins for milliseconds on a processor others could use.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._before: list[tuple[Any, int]] = []

    @functools.cached_property
    def _libraries(self) -> list[Any]:
        _routine("sgemm")  # loads SciPy's BLAS, which is found only once it is there
        return list(ThreadpoolController().select(user_api="blas").lib_controllers)

    @contextmanager
    def hold(self) -> Iterator[int]:
        """Give the number of threads BLAS had, and has again after the last holder."""
        with self._lock:
            if self._holders == 0:
                self._before = [(one, one.get_num_threads()) for one in self._libraries]
                for library, _ in self._before:
                    library.set_num_threads(1)
            self._holders += 1
            threads = min((count for _, count in self._before), default=1)
        try:
            yield threads
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0:
                    for library, count in self._before:
                        library.set_num_threads(count)


SERIAL_BLAS = _SerialBlas()
