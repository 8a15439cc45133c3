"""Weights of 16 bits lie within the declared bounds; scales that a dtype lacks are refused."""

import math

import numpy as np
import pytest

import initperf
from initperf._core.keys import Key
from initperf._core.source import Source
from initperf.initializers import INITIALIZERS
from initperf.initializers._parts import Store, as_part, fill_part
from initperf.initializers._rounding import caps

BITS = np.arange(1 << 16, dtype=np.uint16)
SHAPE = (512, 512)
BOUNDED = {
    "uniform": INITIALIZERS["uniform"].replace(low=-0.3, high=0.3),
    "lopsided": INITIALIZERS["uniform"].replace(low=1e-6, high=0.7),
    "glorot_uniform": INITIALIZERS["glorot_uniform"],
    "truncated": INITIALIZERS["truncated_normal"].replace(scale=0.4, low=-0.3, high=0.7),
    "he_truncated": INITIALIZERS["variance_scaling"].replace(
        scale=2.0, distribution="truncated_normal"
    ),
    "clipped": INITIALIZERS["clipped_normal"].replace(low=-0.3, high=0.7),
}


def widened(bits, form):
    """Return numbers of a format, given as uint16, in float64."""
    if form == "float16":
        return bits.view(np.float16).astype(np.float64)
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def drawn(rule, form, shape=SHAPE):
    """Draw bits of a format as models are given them, by blocks."""
    out = np.zeros(shape, np.uint16)
    source = Source.checked(out.size, rng=Key(np.uint64(7)))
    fill_part(rule.distribution_of(shape), out, as_part(shape, ()), source, Store(form))
    return out


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", BOUNDED)
def test_rounded_weights_stay_within_the_declared_bounds(name, form):
    rule = BOUNDED[name]
    bits = drawn(rule, form)
    values = widened(bits, form)
    low, high = rule.support(SHAPE)
    assert values.min() >= low
    assert values.max() <= high
    # they are the nearest numbers, within half a unit in the last of 11 or 8 digits (and of
    # subnormal numbers), but for those next to a bound, which may be the second nearest
    exact = rule(SHAPE, rng=Key(np.uint64(7))).astype(np.float64)
    unit = 2.0 ** (-10 if form == "float16" else -7) * np.maximum(np.abs(exact), 2.0**-14)
    error = np.abs(values - exact)
    assert (error <= unit).all()
    inside = (exact - low > unit) & (high - exact > unit)
    assert inside.mean() > 0.2
    assert (error[inside] <= 0.5 * unit[inside]).all()


@pytest.mark.parametrize("name", BOUNDED)
def test_an_array_has_the_bits_of_blocks(name):
    weights = BOUNDED[name](SHAPE, rng=Key(np.uint64(7)), dtype="float16")
    np.testing.assert_array_equal(weights.view(np.uint16), drawn(BOUNDED[name], "float16"))


@pytest.mark.parametrize("form", ["float16", "bfloat16"])
def test_caps_are_the_outermost_numbers_of_the_format(form):
    """By a search of all numbers of the format."""
    with np.errstate(invalid="ignore"):  # some are no numbers
        numbers = widened(BITS, form)
    numbers = np.unique(numbers[np.isfinite(numbers)])
    rng = np.random.default_rng(0)
    ends = rng.choice([-1.0, 1.0], (300, 2)) * 10.0 ** rng.uniform(-9, 4.8, (300, 2))
    ends[:20, 0] = 0.0
    ends[20:40, 1] = -0.0
    ends[40:60] = rng.choice(numbers[np.abs(numbers) < 1e4], (20, 2))
    for low, high in np.sort(ends, axis=1).tolist():
        inside = numbers[(numbers >= low) & (numbers <= high)]
        nearest = [numbers[np.abs(numbers - np.float32(end)).argmin()] for end in (low, high)]
        crossed = nearest[0] < low, nearest[1] > high
        found = caps((low, high), form)
        if not inside.size or not any(crossed):
            assert found is None
            continue
        assert found == (
            inside[0] if crossed[0] else -math.inf,
            inside[-1] if crossed[1] else math.inf,
        )


def test_bounds_that_are_not_there_bound_nothing():
    assert caps((-math.inf, math.inf), "float16") is None
    assert caps((-1e30, 1e30), "float16") is None
    assert caps((0.70001, 0.70002), "float16") is None  # nothing of the format lies within
    assert caps((0.7, 0.7), "float16") is None
    value = initperf.draw("constant", (2, 3), dtype="float16", value=0.7)
    np.testing.assert_array_equal(value, np.float16(0.7))


@pytest.mark.parametrize(
    ("name", "dtype", "parameters", "message"),
    [
        ("uniform", "float32", {"low": 1e-40, "high": 2e-40}, "the range, 1e-40, must be 0 or at"),
        ("uniform", "float32", {"low": -1e-33, "high": 1e-33}, "the range, 2e-33, must be 0 or"),
        ("uniform", "float64", {"low": 0.0, "high": 1e-310}, "the range, 1e-310, must be 0 or at"),
        ("normal", "float32", {"scale": 1e-40}, "the standard deviation, 1e-40, must be 0 or at"),
        ("normal", "float64", {"scale": 1e-310}, "the standard deviation, 1e-310, must be 0"),
        ("truncated_normal", "float32", {"scale": 1e-40, "low": -1e-39, "high": 1e-39}, "scale"),
        ("clipped_normal", "float32", {"scale": 1e-40}, "the standard deviation, 1e-40, must"),
        ("he_uniform", "float32", {"gain": 1e-33}, r"the range, .*, must be 0 or at least 1\.97"),
        ("orthogonal", "float32", {"gain": 1e-42}, "the gain, 1e-42, must be 0 or at least 1.17"),
        ("normal", "float16", {"scale": 1e-9}, "the standard deviation, 1e-09, is below 5.96"),
        ("uniform", "float16", {"low": 0.0, "high": 1e-8}, "is below 5.96046e-08, the smallest"),
    ],
)
def test_scales_that_a_dtype_does_not_resolve_are_refused(name, dtype, parameters, message):
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    with pytest.raises(ValueError, match=message) as caught:
        initperf.draw(name, (30, 20), rng=generator, dtype=dtype, **parameters)
    assert "\n" not in str(caught.value)
    assert generator.bit_generator.state == state


@pytest.mark.parametrize(
    ("name", "dtype", "parameters"),
    [
        ("uniform", "float32", {"low": 1e-30, "high": 2e-30}),
        ("uniform", "float64", {"low": 1e-40, "high": 2e-40}),
        ("normal", "float32", {"scale": 2e-38}),
        ("truncated_normal", "float32", {"scale": 2e-38, "low": -4e-38, "high": 4e-38}),
        ("orthogonal", "float32", {"gain": 2e-38}),
        ("normal", "float16", {"scale": 2e-7}),
    ],
)
def test_the_smallest_scales_are_drawn_as_declared(name, dtype, parameters):
    rule = INITIALIZERS[name].replace(**parameters)
    values = rule((200, 200), rng=0, dtype=dtype).astype(np.float64)
    # 40,000 entries have a standard deviation known to 0.35 %, of which five are allowed; the
    # rounding to multiples of 2^-24 adds (2^-24)²/12 to the variance, 0.4 % of the deviation
    expected = rule.std((200, 200))
    assert values.std() == pytest.approx(expected, rel=5 * 0.0035 + 0.004, abs=0.0)


@pytest.mark.parametrize("name", ["uniform", "normal", "orthogonal", "clipped_normal"])
def test_a_scale_of_nothing_is_a_constant(name):
    parameters = {"uniform": {"low": 0.0, "high": 0.0}, "orthogonal": {"gain": 0.0}}
    chosen = parameters.get(name, {"scale": 0.0})
    assert not initperf.draw(name, (3, 4), rng=0, **chosen).any()
