"""Rounds of Philox4x32-10, for one counter and for a block of 64.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from typing import Any

import numpy as np
from numba.extending import overload

from initperf.jit.lanes import interleaved
from initperf.jit.policy import INLINED, jit, portable
from initperf.jit.vectors import has_512_bits

COUNTERS = 64
WORDS = 4 * COUNTERS
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)

_U64 = np.uint64
_MULTIPLIER_0 = _U64(0xD2511F53)
_MULTIPLIER_1 = _U64(0xCD9E8D57)
_WEYL_0 = _U64(0x9E3779B9)
_WEYL_1 = _U64(0xBB67AE85)
_ROUNDS = 10


@portable
def philox4x32(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> tuple[Any, Any, Any, Any]:
    """Return the four words of a counter: ten rounds of multiply, exchange and exclusive or.

    The arguments are six words in the algorithm's own order. The same text runs on NumPy arrays,
    compiled on scalars, and on `Lanes`, where it emits instructions.

    Parameters
    ----------
    c0, c1, c2, c3 : uint64 or array of uint64
        Words of the counter, each in the lower 32 bits, so that a product of two fits.
    k0, k1 : uint64
        Words of the key, likewise.
    """
    for _ in range(_ROUNDS):
        product_0 = _MULTIPLIER_0 * (c0 & LOW)
        product_1 = _MULTIPLIER_1 * (c2 & LOW)
        c0 = (product_1 >> HALF) ^ c1 ^ k0
        c1 = product_1 & LOW
        c2 = (product_0 >> HALF) ^ c3 ^ k1
        c3 = product_0 & LOW
        k0 = (k0 + _WEYL_0) & LOW
        k1 = (k1 + _WEYL_1) & LOW
    return c0, c1, c2, c3


@portable
def _words(low: Any, high: Any, key: Any, stream: Any) -> tuple[Any, Any, Any, Any]:
    """Return the words of a counter, whose upper half is the number of the stream."""
    return philox4x32(low, high, stream & LOW, stream >> HALF, key & LOW, key >> HALF)


@portable
def block_by_counters(
    words: np.ndarray, low: np.uint64, high: np.uint64, key: np.uint64, stream: np.uint64
) -> None:
    """Write the words of the counters from ``low + 2^32 high``, one counter after the other.

    The compiler makes it a loop over vectors, as many at a time as 16 registers hold: 1 or 2.
    """
    for j in range(COUNTERS):
        word_0, word_1, word_2, word_3 = _words(low + _U64(j), high, key, stream)
        words[j] = np.uint32(word_0)
        words[COUNTERS + j] = np.uint32(word_1)
        words[2 * COUNTERS + j] = np.uint32(word_2)
        words[3 * COUNTERS + j] = np.uint32(word_3)


block_at_once = interleaved(_words, COUNTERS)
"""Writes the same words; with 32 registers of 512 bits it hides the 70 cycles of the rounds."""


def _block(words: Any, low: Any, high: Any, key: Any, stream: Any) -> None:
    block_by_counters(words, low, high, key, stream)


@overload(_block, jit_options=INLINED)
def _quicker_block(words, low, high, key, stream):  # type: ignore[no-untyped-def]
    quicker = block_at_once if has_512_bits() else block_by_counters
    return lambda words, low, high, key, stream: quicker(words, low, high, key, stream)


@jit
def philox_block(words: np.ndarray, block: np.uint64, key: np.uint64, stream: np.uint64) -> None:
    """Write one block of a stream.

    Parameters
    ----------
    words : numpy.ndarray
        Written; uint32, shape (256,), contiguous.
    block : numpy.uint64
        Number of the block.
    key, stream : numpy.uint64
        Key of the generator and number of the stream.
    """
    first = _U64(block) * _U64(COUNTERS)
    _block(words, first & LOW, first >> HALF, key, stream)
