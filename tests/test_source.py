"""Sources of draws, and entries of registries that are exchanged."""

import numpy as np
import pytest

from initperf.initializers import INITIALIZERS, Source, register
from initperf.initializers.constant import Constant


@pytest.fixture
def mine():
    """Register an initializer, and remove it afterwards."""
    with INITIALIZERS.restored():
        yield register("source_mine", Constant(value=1.0), aliases=("source_old",))


def test_an_entry_is_exchanged_only_on_request(mine):
    with pytest.raises(ValueError, match="'source_mine' is registered already; replace=True"):
        register("source_mine", Constant(value=2.0))
    found = register("source_mine", Constant(value=2.0), ("source_new",), replace=True)
    assert INITIALIZERS["source_new"] is INITIALIZERS["source_mine"] is found
    assert "source_old" not in INITIALIZERS
    with pytest.raises(ValueError, match="'zeros' is registered already"):
        register("source_mine", Constant(value=3.0), ("zeros",), replace=True)
    assert INITIALIZERS["source_mine"] is found


def test_a_source_is_shared_by_parts_and_streams():
    rule = INITIALIZERS["normal"]
    source = Source.checked(12, rng=3, stream=5, offset=2, threads=1)
    whole = np.empty(12, np.float32)
    rule.draw_into(whole, source)
    np.testing.assert_array_equal(whole, rule(12, rng=3, stream=5, offset=2))
    part = np.empty(5, np.float32)
    rule.draw_into(part, source.at(source.offset + 4))
    np.testing.assert_array_equal(part, whole[4:9])
    other = np.empty(12, np.float32)
    rule.draw_into(other, source.of(6))
    np.testing.assert_array_equal(other, rule(12, rng=3, stream=6))


def test_a_generator_is_not_advanced_by_a_refused_draw():
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    for name, options in (("normal", {"scale": 1e38}), ("orthogonal", {"gain": 1e39})):
        with pytest.raises(ValueError, match="is more than float32 can hold"):
            INITIALIZERS[name].replace(**options)((3, 4), rng=generator)
    with pytest.raises(ValueError, match="cannot be drawn in parts"):
        INITIALIZERS["orthogonal"]((3, 4), rng=generator, offset=1)
    assert generator.bit_generator.state == state
