"""Transposition of a small matrix, in squares held in vector registers."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.policy import jit
from initperf.jit.tiles import side, transpose_square
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load


def transpose_reference(source: np.ndarray, out: np.ndarray) -> None:
    """Write a matrix transposed.

    Parameters
    ----------
    source : numpy.ndarray
        (rows, columns), float32 or float64, C order, 32 bytes or more each way.
    out : numpy.ndarray
        (columns, rows), of the same dtype, C order, written.
    """
    out[:] = source.T


@jit
def transpose(source: np.ndarray, out: np.ndarray) -> None:
    """Write a matrix transposed; see the reference."""
    rows, columns = source.shape
    count = side(source)
    # the last squares overlap those before them
    for i in range(0, rows, count):
        for j in range(0, columns, count):
            transpose_square(source, out, min(i, rows - count), min(j, columns - count))


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for rows, columns in ((8, 8), (9, 23), (32, 16)):

            def arguments(
                dtype: str = dtype, rows: int = rows, columns: int = columns
            ) -> tuple[Any, ...]:
                source = np.random.default_rng(rows).standard_normal((rows, columns))
                return source.astype(dtype), np.zeros((columns, rows), dtype)

            yield Case(f"{dtype}-{rows}x{columns}", arguments, writes=(1,))


def _loads() -> Iterator[Load]:
    for count in (32, 64):

        def arguments(dtype: str, count: int = count) -> tuple[Any, ...]:
            return np.ones((count, count), dtype), np.zeros((count, count), dtype)

        # log2(8) or log2(4) shuffles for each vector of 8 or 4 values
        operations = {"float32": 3.0 * count * count, "float64": 2.0 * count * count}
        yield Load(f"{count} x {count}", arguments, operations, 2 * count * count)


register("transpose", numpy=transpose_reference, numba=transpose, cases=_cases, loads=_loads)
