"""Uniformly distributed matrices with orthonormal columns, or rows where there are fewer of them.

Stewart, "The efficient generation of random orthogonal matrices with an application to condition
estimators", SIAM J. Numer. Anal. 17, 1980. A Gaussian matrix stays Gaussian under reflections, so
the vectors that its QR factorisation would reflect, of lengths m, m − 1, …, can be drawn
independently: nothing is factorised, and the signs of the diagonal of R make the distribution
that of Haar.

Vector k consists of the m − k values of the normal stream that follow those of vector k − 1.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf._core.parallel import split
from initperf.jit import tuning
from initperf.jit.blas import blas
from initperf.jit.policy import jit
from initperf.kernels._compact_wy import Panels, accumulate, close_panel, workers
from initperf.kernels._householder import form, householder, reflector
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.kernels.fill_normal import fill_normal, fill_normal_reference

_U64 = np.uint64


def haar_reference(
    out: np.ndarray, key: np.uint64, stream: np.uint64, gain: float, threads: int | None = None
) -> None:
    """Fill a matrix with `gain` times a Haar matrix, reflector by reflector.

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (m, n), float32 or float64, in C or Fortran order.
    key, stream : numpy.uint64
        Key of the generator and number of the stream, whose first values are used.
    gain : float
        Factor of the matrix.
    threads : int, optional
        Not used; the Numba twin has the same arguments.
    """
    tall = out if out.shape[0] >= out.shape[1] else out.T
    m, n = tall.shape
    normals = np.empty(m * n - n * (n - 1) // 2, out.dtype)
    fill_normal_reference(normals, key, stream, _U64(0), 0.0, 1.0)
    tall[:] = 0
    end = normals.size
    for k in reversed(range(n)):
        v, tau, sign = householder(normals[end - (m - k) : end])
        end -= m - k
        tall[k, k] = sign * gain
        trailing = tall[k:, k:]
        trailing -= np.outer(out.dtype.type(tau) * v, v @ trailing)


@jit
def _spread(rows: np.ndarray, inverse_tau: np.ndarray, diagonal: np.ndarray, gain: float) -> None:
    """Convert the values at the end of an array into reflectors, one a row, each one shorter."""
    count, length = rows.shape
    flat = rows.reshape(rows.size)
    source = count * (count - 1) // 2
    for k in range(count):
        # in ascending order no entry is overwritten before it is read
        row, drawn = rows[k], flat[source : source + length - k]
        for i in range(drawn.size):
            row[k + i] = drawn[i]
        row[:k] = 0
        source += drawn.size
        inverse_tau[k], sign = reflector(row[k:])
        diagonal[k] = sign * gain


def _block(m: int, n: int) -> int:
    """Return the number of reflectors of a panel: large for fast products, small for memory."""
    memory = max(64, math.isqrt(m * n) // 128 * 16)
    return max(tuning.HAAR_PANEL_LEAST, min(tuning.HAAR_PANEL_MOST, n // 80 * 16, memory))


def haar(
    out: np.ndarray, key: np.uint64, stream: np.uint64, gain: float, threads: int | None = None
) -> None:
    """Fill a matrix with `gain` times a Haar matrix, panel by panel; see `haar_reference`.

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (m, n), float32 or float64, in C or Fortran order.
    key, stream : numpy.uint64
        Key of the generator and number of the stream, whose first values are used.
    gain : float
        Factor of the matrix.
    threads : int, optional
        The most threads to use; by default as many as the process and BLAS may.
    """
    tall = out if out.shape[0] >= out.shape[1] else out.T
    m, n = tall.shape

    def draw(rows: np.ndarray, inverse_tau: np.ndarray, diagonal: np.ndarray, first: int) -> None:
        start = first * m - first * (first - 1) // 2
        run = rows.reshape(-1)[len(rows) * (len(rows) - 1) // 2 :]
        fill_normal(run, key, stream, _U64(start), 0.0, 1.0)
        _spread(rows, inverse_tau, diagonal, float(gain))

    if out.size <= tuning.UNBLOCKED_ENTRIES:
        rows = tall.T if tall.T.flags.c_contiguous else np.empty((n, m), out.dtype)
        inverse_tau, diagonal = np.empty((2, n), out.dtype)
        draw(rows, inverse_tau, diagonal, 0)
        form(rows, inverse_tau, diagonal)
        tall[:] = rows.T
        return
    panels = Panels.empty(m, n, _block(m, n), out.dtype)
    addresses = blas(out.dtype)

    def task(begin: int, end: int) -> None:
        for panel in range(begin, end):
            rows, triangle, inverse_tau, diagonal = panels.panel(panel)
            draw(rows, inverse_tau, diagonal, panels.part(panel).start)
            close_panel(addresses, rows, inverse_tau, triangle)

    with workers(panels, threads) as count:
        split(len(panels), 1, task, count)
        accumulate(panels, tall, count)


def _cases() -> Iterator[Case]:
    """Give shapes around 1, without and with panels, whole panels and one column more.

    Errors of an orthogonal transformation of length m grow as √m roundings; the factor 4 allows
    for the order of sums, in which reference and twin differ.
    """
    shapes = ((1, 1), (1, 7), (7, 1), (12, 12), (31, 9), (9, 31), (60, 60))
    blocked = ((320, 65), (65, 320))
    for dtype, (m, n) in itertools.product(("float32", "float64"), shapes + blocked):

        def arguments(dtype: str = dtype, shape: tuple[int, int] = (m, n)) -> tuple[Any, ...]:
            return np.zeros(shape, dtype), _U64(0x0123456789ABCDEF), _U64(7), 1.5

        tolerance = 4 * math.sqrt(max(m, n)) * float(np.finfo(dtype).eps)
        yield Case(f"{dtype}-{m}x{n}", arguments, writes=(0,), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Give matrices; a product of n reflectors takes 2mn² − 2n³/3 operations."""
    for m, n in ((784, 256), (1024, 1024)):

        def arguments(dtype: str, shape: tuple[int, int] = (m, n)) -> tuple[Any, ...]:
            return np.zeros(shape, dtype), _U64(1), _U64(0), 1.0, 1

        operations = both(2 * m * n**2 - 2 * n**3 / 3)
        yield Load(f"{m} x {n}", arguments, operations, m * n)


register("haar", numpy=haar_reference, numba=haar, cases=_cases, loads=_loads)
