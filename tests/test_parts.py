"""Rectangular parts of a weight: the bits of the whole, whatever the rule, dtype and strides."""

import numpy as np
import pytest

import initperf
from initperf._core.keys import Key
from initperf._core.source import Source
from initperf.initializers import INITIALIZERS
from initperf.initializers._parts import Store, as_part, fill_part

RULES = ["normal", "uniform", "truncated_normal", "clipped_normal", "he_normal", "ones"]
PARTS = {
    "rows": ((12, 700), np.s_[3:9]),
    "columns": ((12, 700), np.s_[:, 130:420]),
    "both": ((12, 700), np.s_[5:11, 1:2]),
    "of a block each": ((4, 1024), np.s_[1:, 256:512]),
    "middle axis": ((5, 6, 7), np.s_[1:4, 2:5]),
    "last axis": ((5, 6, 7), np.s_[:, :, 3:6]),
    "all axes": ((4, 5, 6, 7), np.s_[1:3, 2:4, 1:5, 2:6]),
    "nothing": ((12, 700), np.s_[4:4]),
    "all": ((12, 700), np.s_[:]),
    "from the end": ((12, 700), np.s_[-3:, -10:]),
}


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", PARTS)
@pytest.mark.parametrize("name", [*RULES, "orthogonal"])
def test_a_part_has_the_bits_of_the_whole(name, case, dtype, backend):
    shape, part = PARTS[case]
    source = {"rng": 3, "stream": 5, "dtype": dtype, "backend": backend}
    expected = initperf.draw(name, shape, **source)[part]
    np.testing.assert_array_equal(initperf.draw(name, shape, part=part, **source), expected)


@pytest.mark.parametrize("name", RULES)
def test_a_part_is_written_to_any_strides(name):
    around = np.full((2, 700, 12), np.nan, np.float32)
    out = around[0, ::2, ::3].T
    assert initperf.draw(name, (4, 350), part=np.s_[:, :], rng=1, out=out) is out
    np.testing.assert_array_equal(out, initperf.draw(name, (4, 350), rng=1))
    assert np.isnan(around[1]).all()
    assert np.isnan(around[0, 1::2]).all()
    reversed_rows = np.empty((6, 290), np.float32)[::-1]
    initperf.draw(name, (12, 700), part=np.s_[3:9, 130:420], rng=1, out=reversed_rows)
    expected = initperf.draw(name, (12, 700), rng=1)[3:9, 130:420]
    np.testing.assert_array_equal(reversed_rows, expected)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("case", PARTS)
def test_parts_are_rounded_to_two_bytes(case, backend):
    shape, part = PARTS[case]
    distribution = INITIALIZERS["normal"].distribution_of(shape)
    cut = as_part(shape, part)
    whole = initperf.draw("normal", shape, rng=Key(np.uint64(9)), stream=2)[part]
    out = np.zeros(cut.lengths, np.uint16)
    source = Source.checked(0, rng=Key(np.uint64(9)), stream=2, backend=backend)
    fill_part(distribution, out, cut, source, Store("float16"))
    np.testing.assert_array_equal(out.view(np.float16), whole.astype(np.float16))


def test_blocks_and_threads_join():
    # 2^17 values a block: three blocks of rows with gaps, and rows longer than a block.
    for shape, part in (((900, 1000), np.s_[:, 100:600]), ((3, 400_000), np.s_[:, 7:300_000])):
        expected = initperf.draw("normal", shape, rng=4)[part]
        for threads in (1, 3):
            drawn = initperf.draw("normal", shape, rng=4, part=part, threads=threads)
            np.testing.assert_array_equal(drawn, expected)


@pytest.mark.parametrize(
    ("part", "error", "message"),
    [
        (np.s_[::2], ValueError, "step 1"),
        (np.s_[0], TypeError, "must be slices"),
        (np.s_[:, :, :], ValueError, "at most one slice for each axis"),
    ],
)
def test_other_parts_are_refused(part, error, message):
    with pytest.raises(error, match=message):
        initperf.draw("normal", (4, 6), part=part, rng=0)


def test_an_offset_does_not_go_with_a_part():
    with pytest.raises(TypeError, match="offset"):
        initperf.draw("normal", (4, 6), part=np.s_[1:], rng=0, offset=3)


def test_nothing_is_written_nor_advanced_where_values_do_not_fit():
    out = np.zeros((2, 6), np.float32)
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    with pytest.raises(ValueError, match="more than float32 can hold"):
        initperf.draw("normal", (4, 6), part=np.s_[:2], rng=generator, out=out, scale=1e38)
    assert not out.any()
    assert generator.bit_generator.state == state
