"""Products of Householder reflectors, a panel at a time, by matrix products.

Schreiber & Van Loan, "A storage-efficient WY representation for products of Householder
transformations", SIAM J. Sci. Stat. Comput. 10, 1989: H₀ H₁ … H_b₋₁ = I − V T Vᵀ with T upper
triangular. Puglisi, "Modification of the Householder method based on the compact WY
representation", same journal 13, 1992: T⁻¹ is the strict upper triangle of VᵀV with 1/τ on the
diagonal. T is never formed: a triangular system is solved instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from initperf._core.parallel import default_threads, split
from initperf.jit import tuning
from initperf.jit.blas import Addresses, blas, blas_threads, gram, multiply, solve_upper
from initperf.jit.policy import jit, portable
from initperf.jit.tuning import TRIANGLE_STRIP


class Flat(NamedTuple):
    """A contiguous matrix of either order as one type, so that code is compiled once.

    Attributes
    ----------
    entries : numpy.ndarray
        Its entries in the order of memory, shape (rows * columns,).
    rows, columns : int
        Its shape.
    by_rows : bool
        Whether it is in C order; else it is in Fortran order.
    """

    entries: np.ndarray
    rows: int
    columns: int
    by_rows: bool

    @classmethod
    def of(cls, matrix: np.ndarray) -> "Flat":
        """Return a contiguous matrix, sharing its memory."""
        by_rows = matrix.flags.c_contiguous
        rows, columns = matrix.shape
        return cls((matrix if by_rows else matrix.T).reshape(-1), rows, columns, by_rows)


@portable
def as_matrix(flat: Flat) -> np.ndarray:
    """Return the matrix of any strides that shares the memory of a flat one."""
    size = flat.entries.itemsize
    strides = (flat.columns * size, size) if flat.by_rows else (size, flat.rows * size)
    return as_strided(flat.entries, (flat.rows, flat.columns), strides)


@jit
def close_panel(
    addresses: Addresses, vectors: np.ndarray, inverse_tau: np.ndarray, triangle: np.ndarray
) -> None:
    """Write T⁻¹ of the reflectors of a panel.

    Parameters
    ----------
    addresses : tuple of int
        See `initperf.jit.blas.blas`.
    vectors : numpy.ndarray
        The vectors v, one a row, shape (count, length).
    inverse_tau : numpy.ndarray
        1/τ of each, shape (count,).
    triangle : numpy.ndarray
        Written in its upper triangle; shape (count, count).
    """
    gram(addresses, vectors, triangle)
    for k in range(len(vectors)):
        triangle[k, k] = inverse_tau[k]


@portable
def reflect(
    addresses: Addresses,
    vectors: np.ndarray,
    triangle: np.ndarray,
    out: np.ndarray,
    work: np.ndarray,
) -> None:
    """Apply H_b₋₁ … H₁ H₀ = I − V Tᵀ Vᵀ, the order of a factorisation, to a matrix in place.

    Parameters
    ----------
    addresses : tuple of int
        See `initperf.jit.blas.blas`.
    vectors, triangle : numpy.ndarray
        As `close_panel` takes them; shapes (count, length) and (count, count).
    out : numpy.ndarray
        Updated; shape (length, columns).
    work : numpy.ndarray
        Scratch memory of at least count * columns entries.
    """
    count, columns = len(vectors), out.shape[1]
    weights = work[: count * columns].reshape((count, columns))
    multiply(addresses, vectors, out, weights, 1.0, 0.0)
    solve_upper(addresses, triangle, weights, True)
    multiply(addresses, vectors.T, weights, out, -1.0, 1.0)


class _Reflectors(NamedTuple):
    """The fields of `Panels` that make the product, as compiled code takes them."""

    vectors: np.ndarray
    triangles: np.ndarray
    diagonal: np.ndarray
    block: int


@portable
def _clear(flat: Flat, rows: tuple[int, int], columns: tuple[int, int]) -> None:
    """Set a block of a matrix to zero, along contiguous runs of entries."""
    (top, bottom), (left, right) = rows, columns
    if flat.by_rows:
        for row in range(top, bottom):
            flat.entries[row * flat.columns + left : row * flat.columns + right] = 0
    else:
        for column in range(left, right):
            flat.entries[column * flat.rows + top : column * flat.rows + bottom] = 0


@portable
def _subtract(
    addresses: Addresses, vectors: np.ndarray, weights: np.ndarray, out: np.ndarray, by_rows: bool
) -> None:
    """Subtract ``vectors.T @ weights`` from a matrix, where vector k is zero before its entry k.

    Strips of its first rows are multiplied by fewer vectors, where that changes no bit: a BLAS may
    round a product otherwise that is parted, but none that is parted between rows in C order, at
    multiples of 24.

    Parameters
    ----------
    addresses : tuple of int
        See `initperf.jit.blas.blas`.
    vectors, weights : numpy.ndarray
        Shapes (count, length) and (count, columns).
    out : numpy.ndarray
        Updated; shape (length, columns).
    by_rows : bool
        Whether it is in C order.
    """
    count, length = vectors.shape
    strips = by_rows and count % TRIANGLE_STRIP == 0
    begin = 0
    while begin < length:
        end = begin + TRIANGLE_STRIP if strips and begin < count else length
        used = min(count, end)
        strip = vectors[:used, begin:end].T
        multiply(addresses, strip, weights[:used], out[begin:end], -1.0, 1.0)
        begin = end


@jit
def _accumulate(
    addresses: Addresses, flat: Flat, panels: _Reflectors, low: int, high: int, work: np.ndarray
) -> None:
    """Overwrite the columns `low` to `high` of a matrix with those of H₀ … Hₙ₋₁ D.

    From the last panel to the first, so that each is applied only to the rows and columns that
    differ from the identity's by then: 2mn² − ⅔n³ operations for all columns.
    """
    triangles, diagonal, block = panels.triangles, panels.diagonal, panels.block
    n, m = diagonal.size, flat.rows
    out = as_matrix(flat)
    end = panels.vectors.size
    for start in range((n - 1) // block * block, -1, -block):
        count = min(block, n - start)
        stop, length = start + count, m - start
        vectors = panels.vectors[end - count * length : end].reshape((count, length))
        end -= vectors.size
        if start >= high:
            continue
        triangle = triangles[start * block : start * block + count * count]
        first = max(low, start)
        # first the columns that still are the identity's, then all others
        fresh = max(first, min(stop, high)) - first
        # of the identity, what this panel reaches first: its rows, and below them its columns
        _clear(flat, (start, stop), (first, high))
        _clear(flat, (stop, m), (first, first + fresh))
        weights = work[: count * (high - first)].reshape((count, high - first))
        for k in range(fresh):
            out[first + k, first + k] = diagonal[first + k]
            for row in range(count):
                weights[row, k] = vectors[row, first - start + k] * diagonal[first + k]
        others = out[stop:, first + fresh : high]
        multiply(addresses, vectors[:, count:], others, weights[:, fresh:], 1.0, 0.0)
        solve_upper(addresses, triangle.reshape((count, count)), weights, False)
        _subtract(addresses, vectors, weights, out[start:, first:high], flat.by_rows)


@dataclass(frozen=True)
class Panels:
    """The reflectors H₀ … Hₙ₋₁ of an m × n matrix, m ≥ n, H_k acting on the entries k to m.

    Attributes
    ----------
    rows, columns, block : int
        m, n, and the number of reflectors of each panel but the last.
    vectors, triangles : numpy.ndarray
        Vectors and triangles of all panels, one after the other; see `panel`.
    inverse_tau, diagonal : numpy.ndarray
        Shape (n,): 1/τ of each reflector, and D, which multiplies the columns of the product.
    """

    rows: int
    columns: int
    block: int
    vectors: np.ndarray
    triangles: np.ndarray
    inverse_tau: np.ndarray
    diagonal: np.ndarray

    @classmethod
    def empty(cls, rows: int, columns: int, block: int, dtype: np.dtype) -> "Panels":
        """Allocate the reflectors of a matrix.

        Parameters
        ----------
        rows, columns : int
            Shape of the matrix, rows >= columns.
        block : int
            Number of reflectors of a panel.
        dtype : numpy.dtype
            float32 or float64.
        """
        starts = np.arange(0, columns, block)
        counts = np.minimum(block, columns - starts)
        sizes = int(counts @ (rows - starts)), int(starts[-1]) * block + int(counts[-1]) ** 2
        arrays = np.empty(sizes[0], dtype), np.empty(sizes[1], dtype)
        return cls(rows, columns, block, *arrays, *np.empty((2, columns), dtype))

    def __len__(self) -> int:
        return -(-self.columns // self.block)

    def part(self, panel: int) -> slice:
        """Return the numbers of the reflectors of a panel."""
        return slice(panel * self.block, min((panel + 1) * self.block, self.columns))

    def panel(self, panel: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the vectors of a panel, its triangle, 1/τ and D.

        Each vector is a row, of length m less the start of the panel, zero up to its own 1. The
        triangle is the upper one of a square array: T⁻¹.
        """
        part = self.part(panel)
        count, length = part.stop - part.start, self.rows - part.start
        # the panels before are full, and each is shorter by a block than the one before it
        begin = part.start * self.rows - self.block * self.block * (panel * (panel - 1) // 2)
        vectors = self.vectors[begin : begin + count * length].reshape(count, length)
        square = self.triangles[part.start * self.block :][: count * count]
        triangle = square.reshape(count, count)
        return vectors, triangle, self.inverse_tau[part], self.diagonal[part]


@contextmanager
def workers(panels: Panels, threads: int | None) -> Iterator[int]:
    """Limit BLAS to one thread a call; give the number of threads to call it from.

    Parameters
    ----------
    panels : Panels
        The reflectors; of a small matrix one thread is faster than two.
    threads : int or None
        The most threads; by default as many as both this process and BLAS may use.
    """
    m, n = panels.rows, panels.columns
    with blas_threads(1) as allowed:
        useful = 1 + int((2 * m - 2 * n / 3) * n**2 / tuning.OPERATIONS_A_THREAD)
        yield min(allowed, useful, default_threads() if threads is None else threads)


def accumulate(panels: Panels, out: np.ndarray, threads: int) -> None:
    """Write H₀ … Hₙ₋₁ D into a contiguous matrix, each thread a slab of columns of equal cost.

    Parameters
    ----------
    panels : Panels
        The reflectors.
    out : numpy.ndarray
        Written; shape (rows, columns), in C or Fortran order.
    threads : int
        Number of threads.
    """
    columns = np.arange(panels.columns + 1.0)
    cost = panels.rows * columns**2 / 2 - columns**3 / 6
    slabs = min(threads, -(-panels.columns // tuning.SLAB_COLUMNS))
    bounds = np.searchsorted(cost, np.linspace(0.0, cost[-1], slabs + 1)).tolist()
    flat, addresses = Flat.of(out), blas(out.dtype)
    reflectors = _Reflectors(panels.vectors, panels.triangles, panels.diagonal, panels.block)

    def task(begin: int, end: int) -> None:
        for low, high in zip(bounds[begin:end], bounds[begin + 1 :], strict=False):
            room = np.empty(panels.block * (high - low), out.dtype)
            _accumulate(addresses, flat, reflectors, low, high, room)

    split(slabs, 1, task, threads)
