"""What a kernel is timed on, and the least that the hardware must do for it.

The operations and the traffic of a load place its kernel under the roofline (Williams, Waterman
and Patterson 2009, doi:10.1145/1498765.1498785): so many operations a byte, so many a second.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")


@dataclass(frozen=True)
class Load:
    """Arguments as people's work has them.

    Attributes
    ----------
    label : str
        The size, as tables show it.
    arguments : callable
        ``arguments(dtype)`` makes fresh arguments.
    operations : mapping of str to float
        By dtype, the operations on numbers that the source writes: each addition,
        multiplication, division, root, shift or logical operation is one, moves and comparisons
        none; of matrix products, two for each multiplication.
    moved : float
        Values of the dtype that are read or written at least, each once.
    """

    label: str
    arguments: Callable[[str], tuple[Any, ...]]
    operations: Mapping[str, float]
    moved: float

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What it can be timed in."""
        return tuple(self.operations)

    def bytes_moved(self, dtype: str) -> float:
        """Return the bytes that are read or written at least."""
        return self.moved * np.dtype(dtype).itemsize


def both(operations: float) -> dict[str, float]:
    """Return the same number of operations for float32 and float64."""
    return dict.fromkeys(FLOATS, operations)
