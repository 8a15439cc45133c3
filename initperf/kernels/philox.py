"""Philox4x32-10, the counter-based generator under every draw.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Four 32-bit
words are a fixed function of a 128-bit counter and a 64-bit key, so any word of the stream can be
had without those before it. The lower 64 bits of the counter count, the upper 64 carry the
stream's number.

The order of the stream is made for vector stores: the counters go in blocks of 64, and a block of
256 words holds the first words of its 64 counters, then their second words, third and fourth.
Word *i* of a stream is thus word ``i % 256 // 64`` of counter ``i // 256 * 64 + i % 64``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from initperf.jit.cache_lines import LINE_BYTES, prefetch
from initperf.jit.policy import Function, jit, portable
from initperf.jit.tuning import PREFETCH_BLOCKS
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load
from initperf.kernels._philox_block import COUNTERS as COUNTERS
from initperf.kernels._philox_block import HALF, LOW, philox4x32, philox_block
from initperf.kernels._philox_block import WORDS as WORDS

STREAM_VERSION = 2
"""Which bits a (key, stream, index) stands for; a change to any of them is a new version."""

_U64 = np.uint64


def philox_blocks(key: np.uint64, stream: np.uint64, start: int, stop: int) -> np.ndarray:
    """Return the words of the blocks `start` to `stop`, shape (blocks, 4, 64), uint32."""
    block = np.arange(start, stop, dtype=np.uint64)[:, None]
    counter: np.ndarray = block * _U64(COUNTERS) + np.arange(COUNTERS, dtype=np.uint64)
    key, stream = _U64(key), _U64(stream)
    words = philox4x32(
        counter & LOW, counter >> HALF, stream & LOW, stream >> HALF, key & LOW, key >> HALF
    )
    return np.stack(words, axis=1).astype(np.uint32)


def block_fill(block: Function) -> Function:
    """Make the loop over the blocks of a stream that all twins share.

    Parameters
    ----------
    block : callable
        ``block(target, words, *parameters)``, compiled: turns the 256 words of one block into as
        many values as they make, written to the 1-D `target`.

    Returns
    -------
    callable
        ``fill(out, key, stream, start, parameters)`` for compiled code. Only the blocks at the
        two ends of `out`, where they are not wanted whole, take the way round a buffer.
    """

    @portable
    def fill(out: Any, key: Any, stream: Any, start: Any, parameters: Any) -> None:
        size = np.int64(4 * WORDS // out.itemsize)
        words = np.empty(WORDS, np.uint32)
        edge = np.empty(size, out.dtype)
        skip = np.int64(_U64(start) % _U64(size))
        number = _U64(start) // _U64(size)
        head = min((size - skip) % size, out.size)
        whole = (out.size - head) // size
        following = number + _U64(skip > 0)
        for i in range(whole):
            ahead = head + (i + PREFETCH_BLOCKS) * size
            for j in range(ahead, ahead + size, LINE_BYTES // out.itemsize):
                prefetch(out, j)
            philox_block(words, following + _U64(i), key, stream)
            block(out[head + i * size : head + (i + 1) * size], words, *parameters)
        tail = head + whole * size
        for begin, end, at, first in (
            (0, head, number, skip),
            (tail, out.size, following + _U64(whole), 0),
        ):
            if begin < end:
                philox_block(words, at, key, stream)
                block(edge, words, *parameters)
                for i in range(end - begin):  # a slice would compile words for its error
                    out[begin + i] = edge[first + i]

    return fill


def reference_fill(
    out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64, values: Function
) -> None:
    """Fill a 1-D array the NumPy way: make all words of its blocks, turn them into values, cut.

    Parameters
    ----------
    values : callable
        Turns words of shape (blocks, 4, 64) into values, C order, block by block.
    """
    size = 4 * WORDS // out.itemsize
    first, skip = divmod(int(start), size)
    last = -(-(int(start) + out.size) // size)
    made = values(philox_blocks(key, stream, first, last)).reshape(-1)
    out[:] = made[skip : skip + out.size]


def philox_reference(out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64) -> None:
    """Fill a 1-D uint32 array with the words of a stream from index `start`."""
    reference_fill(out, key, stream, start, lambda words: words)


@jit
def _copy(target: np.ndarray, words: np.ndarray) -> None:
    for i in range(words.size):
        target[i] = words[i]


_fill = block_fill(_copy)


@jit
def philox(out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64) -> None:
    """Fill a 1-D uint32 array with the words of a stream from index `start`."""
    _fill(out, key, stream, start, ())


def fill_cases(dtypes: tuple[str, ...], *parameters: Any) -> Iterator[Case]:
    """Make the cases that every fill is tried on: sizes around a block, and far starts.

    Parameters
    ----------
    dtypes : tuple of str
        The element types that the fill writes.
    *parameters
        What follows (out, key, stream, start) in the kernel's arguments.
    """
    sizes = (0, 1, 2, 63, 64, 127, 128, 129, 255, 256, 257, 1000)
    starts = (0, 1, 255, 2**32 - 77, 2**40 + 13)
    for dtype in dtypes:
        for size, start in [(size, 0) for size in sizes] + [(513, start) for start in starts]:

            def arguments(dtype: str = dtype, size: int = size, start: int = start) -> Any:
                out = np.zeros(size, dtype)
                return out, _U64(0x0123456789ABCDEF), _U64(7), _U64(start), *parameters

            yield Case(f"{dtype}-{size}-from-{start}", arguments, writes=(0,))


OPERATIONS = 40
"""Operations for a word: four come of ten rounds of two products and what goes with them."""


def fill_loads(operations: Mapping[str, float], *parameters: Any) -> Iterator[Load]:
    """Make what every fill is timed on: a layer that caches hold, and one that they do not.

    Parameters
    ----------
    operations : mapping of str to float
        Of a value, by dtype.
    *parameters
        What follows (out, key, stream, start) in the kernel's arguments.
    """
    for rows, columns in ((784, 256), (4096, 4096)):
        size = rows * columns

        def arguments(dtype: str, size: int = size) -> tuple[Any, ...]:
            return np.zeros(size, dtype), _U64(1), _U64(0), _U64(0), *parameters

        counts = {dtype: size * each for dtype, each in operations.items()}
        yield Load(f"{rows} x {columns}", arguments, counts, size)


register(
    "philox",
    numpy=philox_reference,
    numba=philox,
    cases=lambda: fill_cases(("uint32",)),
    loads=lambda: fill_loads({"uint32": OPERATIONS}),
)
