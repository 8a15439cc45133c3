"""The generator against its authors' vectors, and the layout of its stream as documented."""

import itertools

import numpy as np
import pytest

from initperf import KERNELS, STREAM_VERSION
from initperf._core.keys import as_key
from initperf.jit.policy import jit
from initperf.kernels._philox_block import (
    COUNTERS,
    WORDS,
    block_at_once,
    block_by_counters,
    philox4x32,
)

# Random123, kat_vectors, philox4x32 10: counter, key and result; the third is digits of pi.
KNOWN_ANSWERS = [
    (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
LARGEST = 2**64 - 1
philox = pytest.mark.parametrize("philox", KERNELS["philox"].values(), ids=KERNELS["philox"])


def words_of(philox, count, *, key=0, stream=0, start=0):
    out = np.zeros(count, np.uint32)
    philox(out, np.uint64(key), np.uint64(stream), np.uint64(start))
    return out


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_known_answers(counter, key, answer):
    arguments = np.array([*counter, *key], np.uint64)
    assert philox4x32(*arguments) == answer
    assert [array.tolist() for array in philox4x32(*arguments[:, None])] == [[w] for w in answer]


@philox
def test_the_stream_begins_with_the_known_answer_of_zeros(philox):
    assert tuple(words_of(philox, WORDS)[::COUNTERS]) == KNOWN_ANSWERS[0][2]


@philox
def test_words_are_laid_out_as_documented(philox):
    key, stream, first_block = 0x299F31D0A4093822, 0x0370734413198A2E, 2**32 // COUNTERS - 1
    found = words_of(philox, 3 * WORDS, key=key, stream=stream, start=first_block * WORDS)
    for index in [0, 1, 63, 64, 128, 191, 255, 256, 319, 512, 767]:
        counter = (first_block + index // 256) * 64 + index % 64
        halves = [number % 2**32 for n in (counter, stream, key) for number in (n, n >> 32)]
        expected = philox4x32(*np.array(halves, np.uint64))[index % 256 // 64]
        assert found[index] == expected, index


@philox
def test_far_out_the_stream_goes_on(philox):
    end = 2**64 - WORDS
    found = words_of(philox, WORDS - 1, start=end)
    counter = end // WORDS * COUNTERS + np.arange(COUNTERS, dtype=np.uint64)
    zero = np.zeros(COUNTERS, np.uint64)
    low, high = counter & np.uint64(2**32 - 1), counter >> np.uint64(32)
    expected = np.concatenate(philox4x32(low, high, zero, zero, zero[:1], zero[:1]))
    np.testing.assert_array_equal(found, expected[:-1])


@philox
@pytest.mark.parametrize(
    "change", [{"key": 1}, {"key": 2**32}, {"stream": 1}, {"stream": 2**32}, {"start": WORDS}]
)
def test_a_change_of_any_half_of_key_stream_or_index_changes_the_words(philox, change):
    # Two independent words agree with probability 2^-32: none of 256 should.
    assert not np.any(words_of(philox, WORDS) == words_of(philox, WORDS, **change))


def test_streams_share_no_counter():
    # Philox is a bijection of its counter for each key. The 128-bit results of 10 streams of
    # 640 counters are distinct, as they must be, and those of other keys too, as they should.
    reference = KERNELS["philox"]["numpy"]
    results = set()
    for key, stream in itertools.product((0, 1, LARGEST), (0, 1, 2**31, 2**32, LARGEST)):
        blocks = words_of(reference, 10 * WORDS, key=key, stream=stream)
        counters = np.moveaxis(blocks.reshape(10, 4, COUNTERS), 1, 2).reshape(-1, 4)
        results.update(map(bytes, counters))
    assert len(results) == 15 * 640


def test_keys_of_small_seeds_are_distinct():
    # Among 10^5 random keys of 64 bits two agree with probability 3e-10.
    assert len({int(as_key(seed)) for seed in range(100_000)}) == 100_000


def test_the_version_of_the_stream_is_public():
    assert STREAM_VERSION == 2


@pytest.mark.parametrize("counter", [0, 1, 2**32 - 64, 2**64 - 64])
def test_a_block_is_the_same_at_once_as_one_counter_after_the_other(counter):
    @jit
    def at_once(words, low, high, key, stream):
        block_at_once(words, low, high, key, stream)

    source = [np.uint64(n) for n in (counter % 2**32, counter >> 32, LARGEST - 6, 2**63 + 5)]
    expected, found = np.zeros(WORDS, np.uint32), np.zeros(WORDS + 2, np.uint32)
    block_by_counters(expected, *source)
    at_once(found[1:-1], *source)
    assert found.tolist() == [0, *expected.tolist(), 0]
