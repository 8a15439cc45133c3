"""Product of small matrices, for which the overhead of a BLAS call exceeds the multiplication."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.policy import jit, portable
from initperf.jit.tiles import ROWS, multiply_tile, side, width
from initperf.jit.tuning import SMALL_PRODUCT_BYTES, SMALL_PRODUCT_COLUMNS
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both


@portable
def is_small(terms: int, out: np.ndarray) -> bool:
    """Return whether this kernel multiplies faster than BLAS.

    It does for whole tiles only: where the last tile of a row must overlap the one before, BLAS is
    as fast.

    Parameters
    ----------
    terms : int
        Columns of the left factor.
    out : numpy.ndarray
        (rows, columns), the product.
    """
    rows, columns = out.shape
    fits = (
        columns <= SMALL_PRODUCT_COLUMNS and terms * columns * out.itemsize <= SMALL_PRODUCT_BYTES
    )
    return bool(fits and columns % width(out) == 0 and rows >= ROWS and terms >= side(out))


def small_product_reference(
    a: np.ndarray, b: np.ndarray, start: np.ndarray, out: np.ndarray
) -> None:
    """Set `out` to ``start + a @ b``.

    Parameters
    ----------
    a : numpy.ndarray
        (rows, terms), float32 or float64, of any strides.
    b : numpy.ndarray
        (terms, columns), C order.
    start : numpy.ndarray
        (rows, columns), or (1, columns) for all rows, C order; the product is added to it.
    out : numpy.ndarray
        (rows, columns), at least 8 and 64 bytes, C order, written.
    """
    np.matmul(a, b, out=out)
    out += start


@jit
def small_product(a: np.ndarray, b: np.ndarray, start: np.ndarray, out: np.ndarray) -> None:
    """Set `out` to ``start + a @ b``; see the reference."""
    rows, columns = out.shape
    # the last tiles overlap those before them
    for j in range(0, columns, width(out)):
        for i in range(0, rows, ROWS):
            multiply_tile(a, b, start, out, min(i, rows - ROWS), min(j, columns - width(out)))


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for rows, terms, columns in ((8, 0, 16), (9, 1, 16), (15, 9, 23), (64, 32, 32)):
            for turned in (False, True):

                def arguments(
                    dtype: str = dtype,
                    shape: tuple[int, int, int] = (rows, terms, columns),
                    turned: bool = turned,
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(5)
                    rows, terms, columns = shape
                    a = rng.standard_normal((terms, rows)).astype(dtype).T
                    b = rng.standard_normal((terms, columns)).astype(dtype)
                    start = rng.standard_normal((1 if turned else rows, columns)).astype(dtype)
                    a = a if turned else np.ascontiguousarray(a)
                    return a, b, start, np.zeros((rows, columns), dtype)

                # a product and a sum for each term, one rounding each
                tolerance = 2 * (terms + 1) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{rows}x{terms}x{columns}{'-turned' * turned}"
                yield Case(label, arguments, writes=(3,), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    for rows, terms, columns in ((64, 32, 32), (128, 64, 64)):

        def arguments(
            dtype: str, shape: tuple[int, int, int] = (rows, terms, columns)
        ) -> tuple[Any, ...]:
            rows, terms, columns = shape
            a, b = np.ones((rows, terms), dtype), np.ones((terms, columns), dtype)
            return a, b, np.zeros((1, columns), dtype), np.zeros((rows, columns), dtype)

        moved = rows * terms + terms * columns + rows * columns
        label = f"{rows} x {terms} x {columns}"
        yield Load(label, arguments, both(2 * rows * terms * columns), moved)


register(
    "small_product",
    numpy=small_product_reference,
    numba=small_product,
    cases=_cases,
    loads=_loads,
)
