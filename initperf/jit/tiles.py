"""Operations on tiles of matrices that stay in vector registers.

A compiler that vectorises loops loads and stores an entry of a sum for every term. Here the vector
instructions are emitted explicitly: a tile of a product keeps its sums in registers from the
first term to the last (Goto & van de Geijn, "Anatomy of high-performance matrix multiplication",
ACM Trans. Math. Softw. 34, 2008), a square is transposed by shuffles, and columns are added up, or
searched for entries that are not zero. A processor with narrower vectors uses two for each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from initperf.jit.internals import cgutils
from initperf.jit.policy import INLINED, portable
from initperf.jit.tuning import PRODUCT_SUMS
from initperf.jit.vectors import has_512_bits

_TILE_BYTES = 64
_PRODUCT_BYTES = 64 if has_512_bits() else 32
_VECTORS = _TILE_BYTES // _PRODUCT_BYTES

ROWS = PRODUCT_SUMS // _VECTORS
"""Rows of a tile of a product."""

_SQUARE_BYTES, _COLUMN_BYTES = 32, _TILE_BYTES
_INTEGER, _BYTE = ir.IntType(64), ir.IntType(8).as_pointer()
_FUSED = ("contract",)


@portable
def side(matrix: np.ndarray) -> int:
    """Return the number of rows and columns of a square for the dtype of a matrix."""
    return _SQUARE_BYTES // matrix.itemsize


@portable
def width(matrix: np.ndarray) -> int:
    """Return the number of columns of a tile of a product, and of columns searched at a time."""
    return _TILE_BYTES // matrix.itemsize


def multiply_tile(
    a: np.ndarray, b: np.ndarray, start: np.ndarray, out: np.ndarray, i: int, j: int
) -> None:
    """Write ``start + a @ b`` to one tile of a matrix, adding terms in their order.

    Parameters
    ----------
    a, b : numpy.ndarray
        Shapes (rows, terms) and (terms, columns), one dtype; `b` with unit stride along rows.
    start : numpy.ndarray
        Shape (rows, columns) or (1, columns), unit stride along rows.
    out : numpy.ndarray
        Written; shape (rows, columns), unit stride along rows.
    i, j : int
        Indices of the first entry of the tile.
    """
    rows, columns = slice(i, i + ROWS), slice(j, j + width(out))
    begin = start[rows, columns] if len(start) == len(out) else start[:, columns]
    out[rows, columns] = begin + a[rows] @ b[:, columns]


def transpose_square(source: np.ndarray, out: np.ndarray, i: int, j: int) -> None:
    """Write one square of a matrix, transposed, to another matrix.

    Parameters
    ----------
    source, out : numpy.ndarray
        Shapes (m, n) and (n, m), one dtype, unit stride along rows; `out` is written.
    i, j : int
        Indices, in `source`, of the first entry of the square.
    """
    count = side(out)
    out[j : j + count, i : i + count] = source[i : i + count, j : j + count].T


def add_columns(matrix: np.ndarray, start: np.ndarray, out: np.ndarray, j: int) -> None:
    """Write ``start`` and the sums of a matrix's columns, adding rows in their order.

    Parameters
    ----------
    matrix, start, out : numpy.ndarray
        Shapes (rows, columns), (1, columns) and (1, columns), one dtype, unit stride along rows;
        `out` is written, in as many columns as `side` tells.
    j : int
        Index of the first column.
    """
    columns = slice(j, j + side(out))
    total = start[0, columns].copy()
    for row in matrix[:, columns]:
        total += row
    out[0, columns] = total


def mark_columns(matrix: np.ndarray, out: np.ndarray, i: int, j: int) -> None:
    """Set entries of a row of marks to 1 where columns of a matrix are not all zero.

    Parameters
    ----------
    matrix, out : numpy.ndarray
        The same number of columns and dtype, unit stride along rows; `out` holds 0 and 1.
    i, j : int
        Indices, in `out`, of the first mark; as many as a tile is wide are set.
    """
    columns = slice(j, j + width(out))
    out[i, columns] = np.maximum(out[i, columns], np.any(matrix[:, columns] != 0, axis=0))


class _Matrix:
    """A matrix in compiled code: addresses of its entries and vectors."""

    def __init__(self, context: Any, builder: Any, size: int, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        entry = context.get_value_type(kind.dtype)
        self.entry, self._builder, self._bytes = entry, builder, kind.dtype.bitwidth // 8
        self.vector = ir.VectorType(entry, size // self._bytes)
        self._data = builder.bitcast(array.data, _BYTE)
        self.height, self.length = cgutils.unpack_tuple(builder, array.shape)
        self.strides = cgutils.unpack_tuple(builder, array.strides)

    def _at(self, kind: Any, i: Any, j: Any, lane: int) -> Any:
        builder = self._builder
        down, along = (builder.mul(*pair) for pair in zip((i, j), self.strides, strict=True))
        offset = builder.add(builder.add(down, along), _INTEGER(lane * self._bytes))
        return builder.bitcast(builder.gep(self._data, [offset]), kind.as_pointer())

    def load(self, i: Any, j: Any, lane: int = 0) -> Any:
        """Return the vector that begins `lane` entries after entry (i, j)."""
        pointer = self._at(self.vector, i, j, lane)
        return self._builder.load(pointer, align=self._bytes)

    def store(self, vector: Any, i: Any, j: Any, lane: int = 0) -> None:
        """Write a vector from `lane` entries after entry (i, j) on."""
        self._builder.store(vector, self._at(self.vector, i, j, lane), align=self._bytes)

    def spread(self, i: Any, j: Any) -> Any:
        """Return a vector that repeats one entry."""
        builder, nothing = self._builder, ir.Constant(self.vector, ir.Undefined)
        value = builder.load(self._at(self.entry, i, j, 0))
        first = builder.insert_element(nothing, value, ir.IntType(32)(0))
        return self.shuffle(first, nothing, [0] * self.vector.count)

    def shuffle(self, one: Any, two: Any, places: list[int]) -> Any:
        """Return the entries of two vectors at these indices into their concatenation."""
        chosen = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
        return self._builder.shuffle_vector(one, two, chosen)


def _multiply(builder: Any, matrices: list[_Matrix], i: Any, j: Any) -> None:
    a, b, start, out = matrices
    rows = [builder.add(i, _INTEGER(row)) for row in range(ROWS)]
    parts = [vector * out.vector.count for vector in range(_VECTORS)]
    each = builder.icmp_signed("==", start.height, out.height)
    begins = [builder.select(each, row, _INTEGER(0)) for row in rows]
    # stack slots that the compiler promotes to registers
    sums = [
        [cgutils.alloca_once_value(builder, start.load(begin, j, part)) for part in parts]
        for begin in begins
    ]
    with cgutils.for_range(builder, a.length) as term:
        vectors = [b.load(term.index, j, part) for part in parts]
        for row, places in zip(rows, sums, strict=True):
            factor = a.spread(row, term.index)
            for vector, place in zip(vectors, places, strict=True):
                product = builder.fmul(factor, vector, flags=_FUSED)
                builder.store(builder.fadd(builder.load(place), product, flags=_FUSED), place)
    for row, places in zip(rows, sums, strict=True):
        for part, place in zip(parts, places, strict=True):
            out.store(builder.load(place), row, j, part)


def _transpose(builder: Any, matrices: list[_Matrix], i: Any, j: Any) -> None:
    source, out = matrices
    side = out.vector.count
    rows = [source.load(builder.add(i, _INTEGER(row)), j) for row in range(side)]
    step = 1
    while step < side:  # pairs of rows exchange squares of this side
        for row in range(side):
            if not row & step:
                one, two = rows[row], rows[row + step]
                left = [side + at - step if at & step else at for at in range(side)]
                right = [side + at if at & step else at + step for at in range(side)]
                rows[row] = out.shuffle(one, two, left)
                rows[row + step] = out.shuffle(one, two, right)
        step *= 2
    for row in range(side):
        out.store(rows[row], builder.add(j, _INTEGER(row)), i)


def _add(builder: Any, matrices: list[_Matrix], i: Any, j: Any) -> None:
    matrix, start, out = matrices
    total = cgutils.alloca_once_value(builder, start.load(i, j))
    with cgutils.for_range(builder, matrix.height) as row:
        builder.store(builder.fadd(builder.load(total), matrix.load(row.index, j)), total)
    out.store(builder.load(total), i, j)


def _mark(builder: Any, matrices: list[_Matrix], i: Any, j: Any) -> None:
    matrix, out = matrices
    count = out.vector.count
    integers = ir.VectorType(ir.IntType(8 * _COLUMN_BYTES // count), count)
    # the bitwise or of a column's entries is a zero of either sign where all of them are zero
    joined = cgutils.alloca_once_value(builder, builder.bitcast(out.load(i, j), integers))
    with cgutils.for_range(builder, matrix.height) as row:
        bits = builder.bitcast(matrix.load(row.index, j), integers)
        builder.store(builder.or_(builder.load(joined), bits), joined)
    found = builder.bitcast(builder.load(joined), out.vector)
    zeros, ones = (ir.Constant(out.vector, [value] * count) for value in (0.0, 1.0))
    out.store(builder.select(builder.fcmp_unordered("!=", found, zeros), ones, zeros), i, j)


def _compile(written: Callable[..., None], size: int) -> Callable[..., None]:
    """Return an intrinsic of compiled code that takes matrices, i and j, and writes a tile.

    Parameters
    ----------
    written : callable
        ``written(builder, matrices, i, j)`` emits the instructions.
    size : int
        Bytes of a vector.
    """

    @intrinsic
    def native(typing, matrices, i, j):  # type: ignore[no-untyped-def]  # numba's types
        def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]  # too
            unpacked = cgutils.unpack_tuple(builder, values[0])
            pairs = zip(matrices, unpacked, strict=True)
            written(
                builder, [_Matrix(context, builder, size, *pair) for pair in pairs], *values[1:]
            )
            return context.get_dummy_value()

        return types.void(matrices, types.int64, types.int64), generate

    compiled: Callable[..., None] = native
    return compiled


_native_multiply = _compile(_multiply, _PRODUCT_BYTES)
_native_transpose = _compile(_transpose, _SQUARE_BYTES)
_native_add = _compile(_add, _SQUARE_BYTES)
_native_mark = _compile(_mark, _COLUMN_BYTES)


@overload(multiply_tile, jit_options=INLINED)
def _multiply_tile(a, b, start, out, i, j):  # type: ignore[no-untyped-def]  # numba's types
    return lambda a, b, start, out, i, j: _native_multiply((a, b, start, out), i, j)


@overload(transpose_square, jit_options=INLINED)
def _transpose_square(source, out, i, j):  # type: ignore[no-untyped-def]  # numba's types
    return lambda source, out, i, j: _native_transpose((source, out), i, j)


@overload(add_columns, jit_options=INLINED)
def _add_columns(matrix, start, out, j):  # type: ignore[no-untyped-def]  # numba's types
    return lambda matrix, start, out, j: _native_add((matrix, start, out), 0, j)


@overload(mark_columns, jit_options=INLINED)
def _mark_columns(matrix, out, i, j):  # type: ignore[no-untyped-def]  # numba's types
    return lambda matrix, out, i, j: _native_mark((matrix, out), i, j)
