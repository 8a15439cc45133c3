"""Arrays that begin with a cache line.

NumPy aligns to 16 bytes. A vector of 64 bytes then lies across two lines, each of which is
fetched: a twentieth of a step in layers of 32 units (Zen 4).
"""

import math
from typing import Any

import numpy as np

_LINE_BYTES = 64


def aligned_zeros(shape: int | tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Return a new array of zeros, in C order, whose first byte is the first of a cache line."""
    kind = np.dtype(dtype)
    size = math.prod(np.atleast_1d(shape).tolist()) * kind.itemsize
    room = np.zeros(size + _LINE_BYTES, np.uint8)
    begin = -room.ctypes.data % _LINE_BYTES
    values: np.ndarray = room[begin : begin + size].view(kind).reshape(shape)
    return values
