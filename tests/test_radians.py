"""How accurate sine and cosine of radians are: absolutely near 0, and as their argument further."""

import mpmath
import numpy as np
import pytest

from initperf.jit.radians import sine_and_cosine


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sine_and_cosine_are_right_to_two_eps(dtype):
    rng = np.random.default_rng(3)
    near_zeros = np.arange(-2000, 2001) * (np.pi / 2)
    x = np.concatenate([np.linspace(-40, 40, 20001), rng.uniform(-4096, 4096, 20000), near_zeros])
    x = x.astype(dtype)
    x = x[np.abs(x) <= 4096]
    wide = x.astype(np.float64)
    sine, cosine = sine_and_cosine(x)
    assert sine.dtype == cosine.dtype == dtype
    # NumPy's own error is half of a float64 unit
    allowed = 2 * np.finfo(dtype).eps
    assert np.max(np.abs(sine - np.sin(wide))) <= allowed
    assert np.max(np.abs(cosine - np.cos(wide))) <= allowed


def test_angles_near_multiples_of_a_quarter_turn_keep_their_distance():
    x = np.arange(1, 400, 7) * (np.pi / 2)
    sine, cosine = sine_and_cosine(x)
    with mpmath.workdps(40):
        for angle, *found in zip(x, sine, cosine, strict=True):
            exact = mpmath.sin(mpmath.mpf(angle)), mpmath.cos(mpmath.mpf(angle))
            # the one near 0 has the rounding of π/2's last part and of one subtraction: 2 eps of
            # the distance, and the error of three parts of π/2, 2e-37 a turn
            small = min(range(2), key=lambda i: abs(exact[i]))
            assert found[small] == pytest.approx(float(exact[small]), rel=1e-12)


@pytest.mark.parametrize(("dtype", "far"), [("float32", 2.0**21), ("float64", 2.0**40)])
def test_far_angles_are_as_right_as_they_are_given(dtype, far):
    x = np.random.default_rng(5).uniform(-far, far, 20000).astype(dtype)
    sine, cosine = (part.astype(np.float64) for part in sine_and_cosine(x))
    # a slope of at most 1 times one unit of the angle, and rounding
    allowed = np.spacing(np.abs(x)).astype(np.float64) + 4 * np.finfo(dtype).eps
    assert np.all(np.abs(sine - np.sin(x.astype(np.float64))) <= allowed)
    assert np.all(np.abs(cosine - np.cos(x.astype(np.float64))) <= allowed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_signs_and_what_is_no_angle(dtype):
    x = np.linspace(0, 50, 1001).astype(dtype)
    (sine, cosine), (odd, even) = sine_and_cosine(x), sine_and_cosine(-x)
    np.testing.assert_array_equal(odd, -sine)
    np.testing.assert_array_equal(even, cosine)
    assert [float(part[0]) for part in (sine, cosine)] == [0.0, 1.0]
    for part in sine_and_cosine(np.array([np.inf, -np.inf, 1e30, np.nan], dtype)):
        assert np.all(np.abs(part[:3]) <= 1.0)
        assert np.isnan(part[3])
