"""What may stand for a random state, and the key that becomes of it."""

import numpy as np
import pytest

from initperf import INITIALIZERS
from initperf._core.arguments import as_index
from initperf._core.keys import as_key

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def test_an_integer_gives_the_same_key_each_time():
    assert as_key(7) == as_key(7) == as_key(np.int32(7)) == as_key(np.uint64(7))
    assert as_key(7) != as_key(8)
    assert isinstance(as_key(7), np.uint64)


def test_an_integer_may_be_of_any_size():
    keys = {int(as_key(seed)) for seed in (0, 2**32, 2**64, 2**128, 2**64 + 1)}
    assert len(keys) == 5


def test_a_seed_sequence_gives_the_same_key_each_time_and_its_children_others():
    sequence = np.random.SeedSequence(7)
    assert as_key(sequence) == as_key(sequence) == as_key(7)
    assert len({int(as_key(child)) for child in (sequence, *sequence.spawn(100))}) == 101


def test_nothing_gives_fresh_entropy():
    keys = {int(as_key(None)) for _ in range(100)}
    assert len(keys) == 100
    assert max(keys) >= 2**60


@pytest.mark.parametrize("name", BIT_GENERATORS)
def test_a_generator_is_advanced_by_64_bits(name):
    kind = getattr(np.random, name)
    generator, twin = np.random.Generator(kind(5)), np.random.Generator(kind(5))
    keys = [int(as_key(generator)) for _ in range(100)]
    assert len(set(keys)) == 100
    assert max(keys) >= 2**60
    assert keys == [int(twin.integers(2**64, dtype=np.uint64)) for _ in range(100)]
    assert generator.bit_generator.random_raw() == twin.bit_generator.random_raw()


@pytest.mark.parametrize("name", BIT_GENERATORS)
def test_a_bit_generator_does_what_a_generator_of_it_does(name):
    kind = getattr(np.random, name)
    bits, generator = kind(5), np.random.Generator(kind(5))
    assert [as_key(bits) for _ in range(10)] == [as_key(generator) for _ in range(10)]


def test_draws_one_after_another_from_a_generator_differ_and_repeat_with_it():
    normal = INITIALIZERS["normal"]
    first, again = np.random.default_rng(3), np.random.default_rng(3)
    draws = [normal(20, rng=first) for _ in range(2)]
    assert not np.any(draws[0] == draws[1])
    np.testing.assert_array_equal(draws, [normal(20, rng=again) for _ in range(2)])


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_draw_takes_as_much_of_a_generator(name):
    generator, twin = np.random.default_rng(3), np.random.default_rng(3)
    INITIALIZERS[name]((4, 3), rng=generator)
    as_key(twin)
    assert generator.bit_generator.state == twin.bit_generator.state


def test_draws_without_a_source_differ():
    normal = INITIALIZERS["normal"]
    assert not np.any(normal(20) == normal(20))


@pytest.mark.parametrize(
    "rng", [1.0, "7", True, np.True_, [1, 2], np.random.RandomState(1), np.random, object()]
)
def test_anything_else_is_refused(rng):
    with pytest.raises(TypeError, match="rng must be None, an integer, a SeedSequence"):
        as_key(rng)


def test_a_negative_integer_is_refused():
    with pytest.raises(ValueError, match="rng must be a non-negative integer, not -1"):
        as_key(-1)


def test_an_index_has_64_bits():
    assert as_index("offset", 2**64 - 1) == np.uint64(2**64 - 1)
    assert as_index("offset", np.int64(3)) == np.uint64(3)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-1, ValueError, r"stream must be at least 0 and below 2\*\*64, not -1"),
        (
            2**64,
            ValueError,
            r"stream must be at least 0 and below 2\*\*64, not 18446744073709551616",
        ),
        (1.0, TypeError, "stream must be an integer, not float"),
        (True, TypeError, "stream must be an integer, not bool"),
        (None, TypeError, "stream must be an integer, not NoneType"),
    ],
)
def test_what_is_no_index_is_named(value, error, message):
    with pytest.raises(error, match=message):
        as_index("stream", value)
