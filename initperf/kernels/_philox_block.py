"""The rounds of Philox4x32-10, and a block of 64 counters of them.

Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from initperf.jit.lanes import Lanes
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

    Words are held in the lower halves of uint64, where a product of two of them fits: that is
    what the vector units multiply. The same text runs on NumPy arrays, compiled on scalars, and
    on `Lanes`, where it writes the compiler's instructions.
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
def block_by_counters(
    words: np.ndarray, low: np.uint64, high: np.uint64, key: np.uint64, stream: np.uint64
) -> None:
    """Write the words of the counters from ``low + 2^32 high``, one counter after the other.

    The compiler makes it a loop over vectors, one or two at a time: as many as 16 registers hold.
    """
    for j in range(COUNTERS):
        word_0, word_1, word_2, word_3 = philox4x32(
            low + _U64(j), high, stream & LOW, stream >> HALF, key & LOW, key >> HALF
        )
        words[j] = np.uint32(word_0)
        words[COUNTERS + j] = np.uint32(word_1)
        words[2 * COUNTERS + j] = np.uint32(word_2)
        words[3 * COUNTERS + j] = np.uint32(word_3)


@intrinsic
def block_at_once(typing: Any, words: Any, low: Any, high: Any, key: Any, stream: Any) -> Any:
    """Write the same words, the rounds of all counters in turns.

    With 32 registers of 512 bits, the 70 cycles of a vector's rounds hide among those of seven
    others.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = context.make_array(words)(context, builder, arguments[0]).data
        counter, above, key, stream = (
            Lanes.spread(builder, each, COUNTERS) for each in arguments[1:]
        )
        counter = counter + Lanes(builder, ir.Constant(counter.value.type, list(range(COUNTERS))))
        made = philox4x32(counter, above, stream & LOW, stream >> HALF, key & LOW, key >> HALF)
        narrow = ir.VectorType(ir.IntType(32), COUNTERS)
        for i, word in enumerate(made):
            place = builder.gep(target, [ir.IntType(64)(i * COUNTERS)])
            store = builder.store(
                builder.trunc(word.value, narrow), builder.bitcast(place, narrow.as_pointer())
            )
            store.align = words.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(words, low, high, key, stream), generate


def _block(words: Any, low: Any, high: Any, key: Any, stream: Any) -> None:
    block_by_counters(words, low, high, key, stream)


@overload(_block, jit_options=INLINED)
def _quicker_block(words, low, high, key, stream):  # type: ignore[no-untyped-def]
    quicker = block_at_once if has_512_bits() else block_by_counters
    return lambda words, low, high, key, stream: quicker(words, low, high, key, stream)


@jit
def philox_block(words: np.ndarray, block: np.uint64, key: np.uint64, stream: np.uint64) -> None:
    """Write one block of the stream into `words`, 256 uint32."""
    first = _U64(block) * _U64(COUNTERS)
    _block(words, first & LOW, first >> HALF, key, stream)
