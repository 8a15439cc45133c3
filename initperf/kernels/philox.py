"""Philox4x32-10, the counter-based generator of all random bits.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Four 32-bit
words are a fixed function of a 128-bit counter and a 64-bit key, so any word of a stream can be
computed without those before it. The lower 64 bits of the counter count, the upper 64 hold the
number of the stream.

The order of a stream suits vector stores: counters form blocks of 64, and a block of 256 words
holds the first words of its 64 counters, then their second, third and fourth words. Word *i* of a
stream is thus word ``i % 256 // 64`` of counter ``i // 256 * 64 + i % 64``.
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
"""Version of the map from (key, stream, index) to bits; a change to any bit is a new version."""

_U64 = np.uint64


def philox_blocks(key: np.uint64, stream: np.uint64, start: int, stop: int) -> np.ndarray:
    """Return the words of consecutive blocks of a stream.

    Parameters
    ----------
    key, stream : numpy.uint64
        Key of the generator and number of the stream.
    start, stop : int
        Numbers of the first block and of the one after the last.

    Returns
    -------
    numpy.ndarray
        Uint32, shape (stop - start, 4, 64).
    """
    block = np.arange(start, stop, dtype=np.uint64)[:, None]
    counter: np.ndarray = block * _U64(COUNTERS) + np.arange(COUNTERS, dtype=np.uint64)
    key, stream = _U64(key), _U64(stream)
    words = philox4x32(
        counter & LOW, counter >> HALF, stream & LOW, stream >> HALF, key & LOW, key >> HALF
    )
    return np.stack(words, axis=1).astype(np.uint32)


def block_fill(block: Function) -> Function:
    """Return the loop over the blocks of a stream that all Numba twins of fills share.

    Parameters
    ----------
    block : callable
        ``block(target, words, *parameters)``, compiled: converts the 256 words of one block into
        values and writes them to the 1-D `target`, 256 float32 or 128 float64.

    Returns
    -------
    callable
        ``fill(out, key, stream, start, parameters)`` for compiled code. Only incomplete blocks,
        at the two ends of `out`, are copied from a buffer.
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
                for i in range(end - begin):  # a slice's check of lengths would be compiled too
                    out[begin + i] = edge[first + i]

    return fill


def reference_fill(
    out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64, values: Function
) -> None:
    """Fill an array in NumPy: draw all words of its blocks, convert them to values, and cut.

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (count,), contiguous, float32, float64 or uint32.
    key, stream, start : numpy.uint64
        Key of the generator, number of the stream, and index of the first value in it.
    values : callable
        From words of shape (blocks, 4, 64) to values in C order, block by block.
    """
    size = 4 * WORDS // out.itemsize
    first, skip = divmod(int(start), size)
    last = -(-(int(start) + out.size) // size)
    made = values(philox_blocks(key, stream, first, last)).reshape(-1)
    out[:] = made[skip : skip + out.size]


def philox_reference(out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64) -> None:
    """Fill an array with the words of a stream.

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (count,), contiguous, uint32.
    key, stream, start : numpy.uint64
        Key of the generator, number of the stream, and index of the first value in it.
    """
    reference_fill(out, key, stream, start, lambda words: words)


@jit
def _copy(target: np.ndarray, words: np.ndarray) -> None:
    for i in range(words.size):
        target[i] = words[i]


_fill = block_fill(_copy)


@jit
def philox(out: np.ndarray, key: np.uint64, stream: np.uint64, start: np.uint64) -> None:
    """Fill an array with the words of a stream; see `philox_reference`."""
    _fill(out, key, stream, start, ())


def fill_cases(dtypes: tuple[str, ...], *parameters: Any) -> Iterator[Case]:
    """Give the test cases of a fill: sizes around a block, and distant starts.

    Parameters
    ----------
    dtypes : tuple of str
        The element types that the fill writes.
    *parameters
        The kernel's arguments after (out, key, stream, start).
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
"""Operations a word: ten rounds of two products, and their shifts and xors, make four words."""


def fill_loads(operations: Mapping[str, float], *parameters: Any) -> Iterator[Load]:
    """Give the workloads of a fill: a layer that fits into the caches, and one that does not.

    Parameters
    ----------
    operations : mapping of str to float
        Operations a value, by dtype.
    *parameters
        The kernel's arguments after (out, key, stream, start).
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
