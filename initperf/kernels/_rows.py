"""A flat array seen as rows.

Numba's ``reshape`` works out strides for arrays of any layout, by a call and divisions, which
takes as long as a row of a narrow layer.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array


def as_rows(flat: np.ndarray, count: int, length: int) -> np.ndarray:
    """Return a view of the first `count` rows of a 1-D array in C order, which must outlive it."""
    return flat[: count * length].reshape((count, length))


@intrinsic
def _native_rows(typing, flat, count, length):  # type: ignore[no-untyped-def]  # numba's types
    result = types.Array(flat.dtype, 2, "C")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source = make_array(signature.args[0])(context, builder, values[0])
        rows = make_array(result)(context, builder)
        size = context.get_constant(types.intp, flat.dtype.bitwidth // 8)
        shape = cgutils.pack_array(builder, values[1:])
        strides = cgutils.pack_array(builder, [builder.mul(values[2], size), size])
        populate_array(rows, source.data, shape, strides, size, meminfo=None)
        return rows._getvalue()

    return result(flat, types.intp, types.intp), generate


@overload(as_rows)
def _as_rows(flat, count, length):  # type: ignore[no-untyped-def]  # numba's types
    return lambda flat, count, length: _native_rows(flat, count, length)
