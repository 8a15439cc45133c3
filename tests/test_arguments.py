"""Numbers, integers and words as arguments: converted once, and refused in one line."""

import math
from fractions import Fraction

import numpy as np
import pytest

from initperf import INITIALIZERS, SCHEMES
from initperf._core.arguments import choice, number, shown, whole
from initperf.initializers import VarianceScaling

WIDTHS = (np.float16, np.float32, np.float64, np.longdouble, np.int8, np.uint64, int, Fraction)


@pytest.mark.parametrize("kind", WIDTHS)
def test_numbers_of_any_width_become_python_floats(kind):
    found = number("gain", kind(2))
    assert (type(found), found) == (float, 2.0)


@pytest.mark.parametrize("kind", [np.int8, np.uint64, int])
def test_integers_of_any_width_become_python_ints(kind):
    found = whole("groups", kind(2))
    assert (type(found), found) == (int, 2)


REFUSED = [
    ((math.nan,), {}, "gain must be finite, not nan"),
    ((-math.inf,), {"least": -math.inf}, "gain must be finite, not -inf"),
    (("1",), {}, "gain must be a number, not '1'"),
    ((True,), {}, "gain must be a number, not True"),
    ((np.bool_(True),), {}, "gain must be a number"),
    ((np.ones(2),), {}, r"gain must be a number, not array\(\[1., 1.\]\)"),
    ((1j,), {}, "gain must be a number, not 1j"),
    ((-1,), {}, "gain must be at least 0, not -1.0"),
    ((0,), {"positive": True}, "gain must be positive, not 0.0"),
    ((1.0, 1.0), {}, "gain must be at least 0 and below 1, not 1.0"),
    ((2.0,), {"most": 1.0}, "gain must be at least 0 and at most 1, not 2.0"),
    ((10**400,), {}, "gain must be below 1.8e308, not 1000"),
    ((np.longdouble("1e400"),), {}, "gain must be below 1.8e308, not"),
]


@pytest.mark.parametrize(("arguments", "bounds", "message"), REFUSED)
def test_what_is_no_number_within_bounds_is_refused_in_one_line(arguments, bounds, message):
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        number("gain", *arguments, **bounds)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "least", "message"),
    [
        (1.0, None, "groups must be an integer, not 1.0"),
        (True, None, "groups must be an integer, not True"),
        (np.arange(3), None, "groups must be an integer, not array"),
        (0, 1, "groups must be a positive integer, not 0"),
        (1, 2, "groups must be an integer of at least 2, not 1"),
        pytest.param(
            -(10**9000),
            0,
            "groups must be an integer of at least 0, not an integer of 29898 bits",
            id="thousands of digits",
        ),
    ],
)
def test_what_is_no_integer_within_bounds_is_refused(value, least, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        whole("groups", value, least)


def test_words_are_taken_as_they_are_written():
    assert choice("mode", "fan_in", ("fan_in", "fan_out")) == "fan_in"
    with pytest.raises(ValueError, match=r"^mode must be one of a, b, not 3$"):
        choice("mode", 3, ("a", "b"))
    with pytest.raises(ValueError, match=r"not 'fan-in'; did you mean 'fan_in'\?$"):
        choice("mode", "fan-in", ("fan_in", "fan_out"))


def test_values_in_messages_are_one_short_line():
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown("x" * 1000)) < 70
    assert "\n" not in shown(np.zeros((3, 3)))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble, np.int64])
@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (name, parameter)
        for name in INITIALIZERS
        for parameter in ("gain", "scale", "loc", "low", "high", "value", "a", "sparsity")
        if isinstance(getattr(INITIALIZERS[name], parameter, None), float)
    ],
)
def test_parameters_are_converted_when_built(name, parameter, kind):
    plain = getattr(INITIALIZERS[name], parameter)
    given = kind(math.floor(plain))
    if parameter == "scale" or (name == "sparse" and parameter == "sparsity"):
        given = kind(1)
    changed = INITIALIZERS[name].replace(**{parameter: given})
    assert type(getattr(changed, parameter)) is float
    assert getattr(changed, parameter) == float(given)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("name", ["he_normal", "he_uniform", "orthogonal", "custom"])
def test_a_parameter_of_any_type_draws_the_same_bits_without_compiling_again(name, kind):
    from initperf import KERNELS

    parameter = "scale" if name == "custom" else "gain"
    kernels = [KERNELS[kernel]["numba"] for kernel in ("fill_normal", "fill_uniform")]
    draw = INITIALIZERS[name].replace(**{parameter: 2.5})
    expected = draw((9, 7), rng=0, dtype="float64")
    before = [len(getattr(kernel, "signatures", ())) for kernel in kernels]
    found = INITIALIZERS[name].replace(**{parameter: kind(2.5)})((9, 7), rng=0, dtype="float64")
    np.testing.assert_array_equal(found, expected)
    assert [len(getattr(kernel, "signatures", ())) for kernel in kernels] == before


def test_axes_and_parameters_of_schemes_are_converted_too():
    rule = VarianceScaling(in_axis=np.int64(1), out_axis=[np.int8(0)])
    assert (type(rule.in_axis), rule.out_axis, type(rule.out_axis[0])) == (int, (0,), int)
    assert type(SCHEMES["mup"].replace(base_width=np.float16(8)).base_width) is float
    assert type(SCHEMES["depth_scaled"].replace(additions=np.int8(2)).additions) is float
    assert type(SCHEMES["critical"].replace(bias_variance=np.float32(0.25)).bias_variance) is float
    assert type(SCHEMES["kraehenbuehl"].replace(mean=np.float32(0.25)).mean) is float
