"""Orthonormal factor of a given matrix: Q of its QR factorisation with diag(R) > 0.

Householder, "Unitary triangularization of a nonsymmetric matrix", J. ACM 5, 1958; in panels of
the compact WY form (see `_compact_wy`), which are divided into narrow strips.

The factor of a matrix of m rows and n ≤ m columns has m × n orthonormal columns; that of one with
fewer rows than columns has orthonormal rows, the transpose of the factor of its transpose. Where
a column depends on those before it, its diagonal entry of R is 0 (or rounding noise) and the sign
of 0 is +1: the result is still orthonormal, and the factor of a matrix of zeros is the identity.
"""

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf._core.parallel import split
from initperf.jit import tuning
from initperf.jit.blas import Addresses, blas
from initperf.jit.policy import jit
from initperf.jit.tuning import FACTOR_STRIP
from initperf.kernels._compact_wy import (
    Flat,
    Panels,
    accumulate,
    as_matrix,
    close_panel,
    reflect,
    workers,
)
from initperf.kernels._householder import form, householder, reflect_row, reflector
from initperf.kernels._kernel import KERNELS, Case, register
from initperf.kernels._load import Load, both


def _balance(a: np.ndarray, out: np.ndarray) -> None:
    """Copy a tall matrix, its columns scaled by powers of two to magnitudes between ½ and 1.

    The factor stays the same, and nothing can overflow.
    """
    peaks = np.maximum(a.max(axis=0), -a.min(axis=0))
    limit = np.finfo(a.dtype).maxexp - 1
    exponents = np.clip(-np.frexp(peaks)[1], -limit, limit)
    np.multiply(a, np.ldexp(a.dtype.type(1), exponents), out=out)


def orthogonalize_reference(a: np.ndarray, out: np.ndarray, threads: int | None = None) -> None:
    """Write the orthonormal factor of a matrix, reflector by reflector.

    Parameters
    ----------
    a, out : numpy.ndarray
        Shape (m, n), float32 or float64, the same for both; `out` is written and may be `a`.
    threads : int, optional
        Not used; the Numba twin has the same arguments.
    """
    if a.size == 0:
        return
    given, tall = (a, out) if a.shape[0] >= a.shape[1] else (a.T, out.T)
    r = np.empty_like(given)
    _balance(given, r)
    reflectors = []
    for k in range(r.shape[1]):
        v, tau, sign = householder(r[k:, k])
        scaled = a.dtype.type(tau) * v
        r[k:, k:] -= np.outer(scaled, v @ r[k:, k:])
        reflectors.append((k, v, scaled, sign))
    tall[:] = 0
    for k, v, scaled, sign in reversed(reflectors):
        tall[k, k] = sign
        tall[k:, k:] -= np.outer(scaled, v @ tall[k:, k:])


@jit
def _factor(rows: np.ndarray, first: int, inverse_tau: np.ndarray, diagonal: np.ndarray) -> None:
    """Replace vectors, one a row, by the reflectors that triangulate them from entry `first`."""
    for k in range(len(rows)):
        head = first + k
        inverse_tau[k], diagonal[k] = reflector(rows[k, head:])
        tau = 1.0 / np.float64(inverse_tau[k])
        for other in range(k + 1, len(rows)):
            reflect_row(rows[k, head:], tau, rows[other, head:])
        rows[k, :head] = 0


@jit
def factor_panel(
    addresses: Addresses,
    rows: np.ndarray,
    triangle: np.ndarray,
    inverse_tau: np.ndarray,
    diagonal: np.ndarray,
) -> None:
    """Factor the vectors of a panel strip by strip, and write its triangle."""
    count, length = rows.shape
    room, work = (
        np.empty(FACTOR_STRIP * FACTOR_STRIP, rows.dtype),
        np.empty(FACTOR_STRIP * count, rows.dtype),
    )
    flat = rows.reshape(rows.size)
    for begin in range(0, count, FACTOR_STRIP):
        end = min(begin + FACTOR_STRIP, count)
        _factor(rows[begin:end], begin, inverse_tau[begin:end], diagonal[begin:end])
        vectors = rows[begin:end, begin:]
        square = room[: (end - begin) ** 2].reshape((end - begin, end - begin))
        close_panel(addresses, vectors, inverse_tau[begin:end], square)
        columns = as_matrix(Flat(flat, length, count, False))
        reflect(addresses, vectors, square, columns[begin:, end:], work)
    close_panel(addresses, rows, inverse_tau, triangle)


@jit
def _update(
    addresses: Addresses,
    vectors: np.ndarray,
    triangle: np.ndarray,
    flat: Flat,
    low: int,
    high: int,
    work: np.ndarray,
) -> None:
    """Apply the reflectors of a panel to the columns `low` to `high` of a matrix."""
    out = as_matrix(flat)[flat.rows - vectors.shape[1] :, low:high]
    reflect(addresses, vectors, triangle, out, work)


def _block(n: int) -> int:
    """Return the number of reflectors of a panel of a matrix of n columns."""
    return min(tuning.FACTOR_PANEL_MOST, max(tuning.FACTOR_PANEL_LEAST, n // 128 * 16))


def orthogonalize(a: np.ndarray, out: np.ndarray, threads: int | None = None) -> None:
    """Write the orthonormal factor of a matrix, panel by panel.

    Parameters
    ----------
    a, out : numpy.ndarray
        Shape (m, n), float32 or float64, the same for both; `out` is written, contiguous, and may
        be `a`.
    threads : int, optional
        The most threads to use; by default as many as the process and BLAS may.
    """
    if a.size == 0:
        return
    given, tall = (a, out) if a.shape[0] >= a.shape[1] else (a.T, out.T)
    m, n = tall.shape
    if a.size <= tuning.UNBLOCKED_ENTRIES:
        rows = tall.T if tall.T.flags.c_contiguous else np.empty((n, m), a.dtype)
        _balance(given, rows.T)
        inverse_tau, diagonal = np.empty((2, n), a.dtype)
        _factor(rows, 0, inverse_tau, diagonal)
        form(rows, inverse_tau, diagonal)
        tall[:] = rows.T
        return
    _balance(given, tall)
    panels = Panels.empty(m, n, _block(n), a.dtype)
    addresses, flat = blas(a.dtype), Flat.of(tall)

    def update(panel: int, begin: int, end: int) -> None:
        vectors, triangle, *_ = panels.panel(panel)
        work = np.empty(len(vectors) * (end - begin), a.dtype)
        skip = panels.part(panel).stop
        _update(addresses, vectors, triangle, flat, skip + begin, skip + end, work)

    with workers(panels, threads) as count:
        for panel in range(len(panels)):
            part, (rows, *scales) = panels.part(panel), panels.panel(panel)
            rows[:] = tall[part.start :, part].T
            factor_panel(addresses, rows, *scales)
            split(n - part.stop, tuning.UPDATE_SLAB, functools.partial(update, panel), count)
        accumulate(panels, tall, count)


def orthonormal_factor(
    a: Any,
    *,
    out: np.ndarray | None = None,
    backend: str = "numba",
    threads: int | None = None,
) -> np.ndarray:
    """Return the orthonormal factor of a matrix, checked first.

    Parameters
    ----------
    a : array_like, shape (m, n)
        float32 or float64, finite, of any rank.
    out : numpy.ndarray, shape (m, n), optional
        Where to write it, of the dtype of `a`, in C or Fortran order; may be `a`.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        The most threads to use; as many as the process and BLAS may, by default.

    Returns
    -------
    numpy.ndarray, shape (m, n)
        `out`, or a new array: Q of a = QR with diag(R) > 0 for m ≥ n, and orthonormal rows, the
        transpose of the factor of the transpose, for m < n.

    Raises
    ------
    TypeError
        When `a` is neither float32 nor float64.
    ValueError
        When `a` is no matrix or has an entry that is not finite, or `out` does not fit.
    """
    a = np.asarray(a)
    if a.dtype not in (np.float32, np.float64):
        raise TypeError(f"a must be float32 or float64, not {a.dtype}")
    if a.ndim != 2:
        raise ValueError(f"a must be a matrix, not of shape {a.shape}")
    if a.size and not (np.isfinite(a.max()) and np.isfinite(a.min())):
        row, column = np.argwhere(~np.isfinite(a))[0]
        raise ValueError(f"a must be finite; a[{row}, {column}] is {a[row, column]}")
    if out is None:
        out = np.empty(a.shape, a.dtype)
    elif out.shape != a.shape or out.dtype != a.dtype:
        raise ValueError(f"out must be {a.dtype} of shape {a.shape}, not {out.dtype}, {out.shape}")
    elif not (out.flags.forc and out.flags.writeable):
        raise ValueError("out must be writable and in C or Fortran order")
    KERNELS["orthogonalize"][backend](a, out, threads)
    return out


def _cases() -> Iterator[Case]:
    """Give shapes around 1, without and with panels, whole panels and one column more.

    A factorisation is exact for a matrix some √m roundings away from the given one, and Q moves
    by as much times its condition number.
    """
    shapes = ((1, 1), (1, 7), (7, 1), (12, 12), (31, 9), (9, 31), (60, 60))
    blocked = ((320, 65), (65, 320))
    for dtype, (m, n) in itertools.product(("float32", "float64"), shapes + blocked):
        given = np.random.default_rng(3).standard_normal((m, n)).astype(dtype)
        slack = 4 * math.sqrt(max(m, n)) * float(np.finfo(dtype).eps)

        def arguments(given: np.ndarray = given) -> tuple[Any, ...]:
            return given.copy(), np.zeros_like(given)

        tolerance = slack * float(np.linalg.cond(given))
        yield Case(f"{dtype}-{m}x{n}", arguments, writes=(1,), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Give matrices; finding n reflectors and multiplying them takes 4mn² − 4n³/3 operations."""
    for m, n in ((784, 256), (1024, 1024)):

        def arguments(dtype: str, shape: tuple[int, int] = (m, n)) -> tuple[Any, ...]:
            return *np.random.default_rng(0).standard_normal((2, *shape)).astype(dtype), 1

        operations = both(4 * m * n**2 - 4 * n**3 / 3)
        yield Load(f"{m} x {n}", arguments, operations, 2 * m * n)


register(
    "orthogonalize", numpy=orthogonalize_reference, numba=orthogonalize, cases=_cases, loads=_loads
)
