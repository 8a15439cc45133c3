"""Fills of a matrix whose rows are equally spaced pieces of one stream: the part of a weight.

Columns 8 to 16 of a weight of 64 columns are the values 8 to 16, 72 to 80 and so on of its
stream. Row *i* of the output holds the values from index ``start + i * stride``. A fill makes its
values in blocks of 256 words; a row that begins or ends within a block pays for the whole block.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.policy import Function, jit, portable
from initperf.kernels._kernel import KERNELS, Case, register
from initperf.kernels._load import Load
from initperf.kernels._philox_block import WORDS, philox_block
from initperf.kernels.fill_normal import normal_block
from initperf.kernels.fill_truncated_normal import (
    masses,
    truncated_normal_block,
    truncated_normal_constants,
)
from initperf.kernels.fill_uniform import grid, uniform_block

_U64 = np.uint64


def _reference(fill: Function) -> Function:
    def fill_rows(
        out: np.ndarray,
        key: np.uint64,
        stream: np.uint64,
        start: np.uint64,
        stride: np.uint64,
        *parameters: float,
    ) -> None:
        for i, row in enumerate(out):
            fill(row, key, stream, _U64(int(start) + i * int(stride)), *parameters)

    return fill_rows


def _rows_fill(block: Function) -> Function:
    """Make the compiled loop over rows, from what turns a block of words into values.

    Calling a fill once a row would cost 400 ns a row, more than 256 values: the buffers are
    allocated here, once for all rows.
    """

    @portable
    def fill(out: Any, key: Any, stream: Any, start: Any, stride: Any, parameters: Any) -> None:
        size = np.int64(4 * WORDS // out.itemsize)
        words = np.empty(WORDS, np.uint32)
        values = np.empty(size, out.dtype)
        flat = out.reshape(-1)
        for row in range(out.shape[0]):
            first = start + _U64(row) * stride
            number = first // _U64(size)
            skip = np.int64(first % _U64(size))
            done = row * out.shape[1]
            stop = done + out.shape[1]
            while done < stop:
                count = min(size - skip, stop - done)
                philox_block(words, number, key, stream)
                whole = count == size
                made = flat[done : done + size] if whole else values
                block(made, words, *parameters)
                if not whole:
                    for i in range(count):
                        flat[done + i] = made[skip + i]
                done += count
                skip = np.int64(0)
                number += _U64(1)

    return fill


_fill_uniform = _rows_fill(uniform_block)
_fill_normal = _rows_fill(normal_block)
_fill_truncated_normal = _rows_fill(truncated_normal_block)


@jit
def fill_uniform_rows(
    out: np.ndarray,
    key: np.uint64,
    stream: np.uint64,
    start: np.uint64,
    stride: np.uint64,
    low: float,
    high: float,
) -> None:
    """Fill each row of a C-contiguous 2-D array with U(low, high), from start + i * stride."""
    _fill_uniform(out, key, stream, start, stride, grid(out, low, high))


@jit
def fill_normal_rows(
    out: np.ndarray,
    key: np.uint64,
    stream: np.uint64,
    start: np.uint64,
    stride: np.uint64,
    mean: float,
    std: float,
) -> None:
    """Fill each row of a C-contiguous 2-D array with N(mean, std²), from start + i * stride."""
    _fill_normal(out, key, stream, start, stride, (mean, std))


# Twelve parameters: those of `fill_truncated_normal`, whose precomputed masses are scalars that
# the compiled loop keeps in registers, and the spacing of the rows.
@jit
def fill_truncated_normal_rows(
    out: np.ndarray,
    key: np.uint64,
    stream: np.uint64,
    start: np.uint64,
    stride: np.uint64,
    mean: float,
    std: float,
    low: float,
    high: float,
    below: float,
    inside: float,
    above: float,
) -> None:
    """Fill each row of a C-contiguous 2-D array with N(mean, std²) truncated to [low, high]."""
    constants = truncated_normal_constants(out, mean, std, low, high, below, inside, above)
    _fill_truncated_normal(out, key, stream, start, stride, constants)


def _cases(*parameters: float) -> Iterator[Case]:
    """Rows shorter and longer than a block, with and without gaps, and no rows at all."""
    for dtype in ("float32", "float64"):
        for rows, columns, start, stride in (
            (0, 5, 0, 5),
            (3, 0, 0, 7),
            (4, 1, 9, 2),
            (5, 100, 3, 100),
            (3, 256, 512, 1024),
            (2, 600, 257, 1024),
            (2, 700, 2**32 - 77, 2**33 + 5),
        ):

            def arguments(
                dtype: str = dtype,
                rows: int = rows,
                columns: int = columns,
                start: int = start,
                stride: int = stride,
            ) -> tuple[Any, ...]:
                out = np.zeros((rows, columns), dtype)
                key = _U64(0x0123456789ABCDEF)
                return out, key, _U64(7), _U64(start), _U64(stride), *parameters

            yield Case(f"{dtype}-{rows}x{columns}-every-{stride}", arguments, writes=(0,))


def _loads(fill: str, *parameters: float) -> Iterator[Load]:
    """One half of the columns of a large weight."""
    operations = next(iter(KERNELS[fill].loads()))

    def arguments(dtype: str) -> tuple[Any, ...]:
        out = np.zeros((2048, 1024), dtype)
        return out, _U64(1), _U64(0), _U64(0), _U64(2048), *parameters

    size = 2048 * 1024
    counts = {
        dtype: size * count / operations.moved for dtype, count in operations.operations.items()
    }
    yield Load("2048 x 1024 of 2048 columns", arguments, counts, size)


_CUT = (0.0, 1.0, -2.0, 2.0, *masses(-2.0, 2.0))

register(
    "fill_uniform_rows",
    numpy=_reference(KERNELS["fill_uniform"]["numpy"]),
    numba=fill_uniform_rows,
    cases=lambda: _cases(-0.5, 2.0),
    loads=lambda: _loads("fill_uniform", -1.0, 1.0),
)
register(
    "fill_normal_rows",
    numpy=_reference(KERNELS["fill_normal"]["numpy"]),
    numba=fill_normal_rows,
    cases=lambda: _cases(0.5, 2.0),
    loads=lambda: _loads("fill_normal", 0.0, 1.0),
)
register(
    "fill_truncated_normal_rows",
    numpy=_reference(KERNELS["fill_truncated_normal"]["numpy"]),
    numba=fill_truncated_normal_rows,
    cases=lambda: _cases(*_CUT),
    loads=lambda: _loads("fill_truncated_normal", *_CUT),
)
