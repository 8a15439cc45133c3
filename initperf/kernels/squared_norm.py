"""Sum of squares, for clipping by the norm (Pascanu, Mikolov & Bengio 2013)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import types

from initperf.jit.address import Family, vector
from initperf.jit.policy import jit_sums, like
from initperf.jit.tuning import SUM_CHUNK as _CHUNK
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both


def squared_norm_reference(values: np.ndarray, total: np.ndarray) -> None:
    """Write the sum of squares of an array.

    Parameters
    ----------
    values : numpy.ndarray
        1-D, float32 or float64.
    total : numpy.ndarray
        (1,) float64, written; infinite or NaN where an element is. The twin may also write
        infinity where a square overflows the dtype of `values`.
    """
    total[0] = np.sum(values.astype(np.float64) ** 2)


@jit_sums
def squared_norm(values: np.ndarray, total: np.ndarray) -> None:
    """Write the sum of squares of an array; see the reference."""
    whole = 0.0
    for begin in range(0, values.size, _CHUNK):
        part = values[begin : begin + _CHUNK]
        partial = like(values, 0.0)
        for i in range(part.size):
            partial += part[i] * part[i]
        whole += partial
    total[0] = whole


SQUARED_NORM = Family(lambda kind: (vector(kind), vector(types.float64)))
"""Norms, which take ``(values, total)``."""


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for size in (0, 1, 1023, 1025):

            def arguments(dtype: str = dtype, size: int = size) -> tuple[Any, ...]:
                values = np.random.default_rng(size).standard_normal(size).astype(dtype)
                return values, np.zeros(1)

            # a chunk is summed in the working precision, at worst one rounding a term, but in
            # eight or more lanes
            tolerance = (min(size, 1024) / 8 + 2) * float(np.finfo(dtype).eps)
            yield Case(f"{dtype}-{size}", arguments, writes=(1,), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    for rows, columns in ((784, 512), (4096, 4096)):
        size = rows * columns

        def arguments(dtype: str, size: int = size) -> tuple[Any, ...]:
            return np.ones(size, dtype), np.zeros(1)

        yield Load(f"{rows} x {columns}", arguments, both(2 * size), size)


register(
    "squared_norm", numpy=squared_norm_reference, numba=squared_norm, cases=_cases, loads=_loads
)
