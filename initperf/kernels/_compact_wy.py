"""Products of Householder reflectors, a panel at a time, through matrix products.

Schreiber & Van Loan, "A storage-efficient WY representation for products of Householder
transformations", SIAM J. Sci. Stat. Comput. 10, 1989: H₀ H₁ … H_b₋₁ = I − V T Vᵀ with T upper
triangular. Puglisi, "Modification of the Householder method based on the compact WY
representation", same journal 13, 1992: T⁻¹ is the strict upper triangle of VᵀV with 1/τ on the
diagonal. T is never formed: a triangular solve takes its place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from initperf.kernels._blas import gram, multiply, serial_blas, solve_upper
from initperf.parallel import default_threads, split

UNBLOCKED = 2**15
"""Up to so many entries, reflectors one at a time in compiled code beat matrix products."""

_NARROWEST = 128
_WORTH_A_THREAD = 2e7


def close_panel(vectors: np.ndarray, inverse_tau: np.ndarray, triangle: np.ndarray) -> None:
    """Write T⁻¹ of the reflectors whose vectors are the rows of an array."""
    gram(vectors, triangle)
    np.fill_diagonal(triangle, inverse_tau)


def reflect(vectors: np.ndarray, triangle: np.ndarray, out: np.ndarray) -> None:
    """Apply H_b₋₁ … H₁ H₀ = I − V Tᵀ Vᵀ, the order of a factorisation, to a matrix in place."""
    weights = np.empty((len(vectors), out.shape[1]), out.dtype)
    multiply(vectors, out, weights)
    solve_upper(triangle, weights, transposed=True)
    multiply(vectors.T, weights, out, -1.0, 1.0)


@dataclass(frozen=True)
class Panels:
    """The reflectors H₀ … Hₙ₋₁ of an m × n matrix, m ≥ n, H_k acting on the entries k to m.

    Attributes
    ----------
    rows, columns : int
        m and n.
    parts : list of slice
        Which reflectors make each panel.
    vectors : list of numpy.ndarray
        By panel, one reflector a row, of length m less the panel's start: v, zero up to its 1.
    triangles : list of numpy.ndarray
        By panel: T⁻¹ in the upper triangle of a square array.
    inverse_tau, diagonal : numpy.ndarray
        Shape (n,): 1/τ of each reflector, and D, which multiplies the columns of the product.
    """

    rows: int
    columns: int
    parts: list[slice]
    vectors: list[np.ndarray]
    triangles: list[np.ndarray]
    inverse_tau: np.ndarray
    diagonal: np.ndarray

    @classmethod
    def empty(cls, rows: int, columns: int, block: int, dtype: np.dtype) -> "Panels":
        """Make room for the reflectors of a matrix of `rows` by `columns`, `block` a panel."""
        starts = range(0, columns, block)
        parts = [slice(start, min(start + block, columns)) for start in starts]
        shapes = [(part.stop - part.start, rows - part.start) for part in parts]
        ends = np.cumsum([count * length for count, length in shapes])
        # one allocation for all, which is large enough for the system to give it huge pages
        flats = np.split(np.empty(ends[-1], dtype), ends[:-1])
        vectors = [flat.reshape(shape) for flat, shape in zip(flats, shapes, strict=True)]
        triangles = [np.empty((count, count), dtype) for count, _ in shapes]
        return cls(rows, columns, parts, vectors, triangles, *np.empty((2, columns), dtype))

    def close(self, panel: int) -> None:
        """Make the triangle of a panel whose vectors and 1/τ are there."""
        inverse_tau = self.inverse_tau[self.parts[panel]]
        close_panel(self.vectors[panel], inverse_tau, self.triangles[panel])

    def accumulate(self, out: np.ndarray, low: int, high: int) -> None:
        """Write the columns `low` to `high` of H₀ … Hₙ₋₁ D.

        From the last panel to the first, so that each meets only the rows and columns that
        differ from the identity's by then: 2mn² − ⅔n³ operations for the whole.
        """
        out[:, low:high] = 0
        work = np.empty(len(self.vectors[0]) * (high - low), out.dtype)
        for panel, part in reversed(list(enumerate(self.parts))):
            if part.start >= high:
                continue
            vectors, first = self.vectors[panel], max(low, part.start)
            weights = work[: len(vectors) * (high - first)].reshape(len(vectors), -1)
            # the columns of the identity that this panel is the first to touch, and all others
            own = slice(first, max(first, min(part.stop, high)))
            touched = own.stop - first
            np.fill_diagonal(out[own, own], self.diagonal[own])
            heads = vectors[:, first - part.start : own.stop - part.start]
            np.multiply(heads, self.diagonal[own], out=weights[:, :touched])
            tails, others = vectors[:, len(vectors) :], out[part.stop :, own.stop : high]
            multiply(tails, others, weights[:, touched:])
            solve_upper(self.triangles[panel], weights)
            multiply(vectors.T, weights, out[part.start :, first:high], -1.0, 1.0)


@contextmanager
def workers(panels: Panels, threads: int | None) -> Iterator[int]:
    """Keep BLAS to one thread a call; give the number of threads to call it from.

    As many as both this process and BLAS may use, but no more than `threads`, and one where the
    matrix is so small that waking another takes longer than it helps.
    """
    m, n = panels.rows, panels.columns
    with serial_blas() as allowed:
        useful = 1 + int((2 * m - 2 * n / 3) * n**2 / _WORTH_A_THREAD)
        yield min(allowed, useful, default_threads() if threads is None else threads)


def accumulate(panels: Panels, out: np.ndarray, threads: int) -> None:
    """Write H₀ … Hₙ₋₁ D, a slab of columns a thread, all slabs of equal work."""
    columns = np.arange(panels.columns + 1.0)
    work = panels.rows * columns**2 / 2 - columns**3 / 6
    slabs = min(threads, -(-panels.columns // _NARROWEST))
    bounds = np.searchsorted(work, np.linspace(0.0, work[-1], slabs + 1)).tolist()

    def task(begin: int, end: int) -> None:
        for slab in range(begin, end):
            panels.accumulate(out, bounds[slab], bounds[slab + 1])

    split(slabs, 1, task, threads)
