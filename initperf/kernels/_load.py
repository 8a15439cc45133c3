"""Benchmark loads of kernels: arguments, and the operations and memory traffic they need at least.

Operations per byte place a kernel under the roofline (Williams, Waterman and Patterson 2009,
doi:10.1145/1498765.1498785).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")


@dataclass(frozen=True)
class Load:
    """Arguments of a realistic size.

    Attributes
    ----------
    label : str
        Size, as shown in tables.
    arguments : callable
        ``arguments(dtype)`` makes fresh arguments.
    operations : mapping of str to float
        Operations by dtype, counted in the source: one for each addition, multiplication,
        division, root, shift or logical operation, none for moves and comparisons; two for each
        multiplication of a matrix product.
    moved : float
        Values of the dtype that must be read or written, each counted once.
    """

    label: str
    arguments: Callable[[str], tuple[Any, ...]]
    operations: Mapping[str, float]
    moved: float

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Dtypes in which the kernel can be timed."""
        return tuple(self.operations)

    def bytes_moved(self, dtype: str) -> float:
        """Return the bytes that must be read or written."""
        return self.moved * np.dtype(dtype).itemsize


def both(operations: float) -> dict[str, float]:
    """Return the same number of operations for float32 and float64."""
    return dict.fromkeys(FLOATS, operations)
