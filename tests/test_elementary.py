"""How accurate the elementary functions are: in units in the last place, against exact values.

float32 is compared with NumPy's float64, whose own error is 1e-8 of a float32 unit; float64 with
40 digits of mpmath. NumPy arrays go in here: that compiled code gives the same bits is what the
cases of the kernels show.
"""

import math

import mpmath
import numpy as np
import pytest
from scipy import special

from initperf.jit import elementary

SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")
SMALLEST = {SINGLE: 2.0**-32, DOUBLE: 2.0**-53}  # the least uniform a radius is made of
SQRT_HALF = math.sqrt(0.5)
POINTS = {SINGLE: 1_000_001, DOUBLE: 2_001}

dtypes = pytest.mark.parametrize("dtype", [SINGLE, DOUBLE], ids=str)


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(40):
        yield


def errors(got, exact, *arguments):
    """Return the errors, in the dtype of the results, against a function of mpmath or NumPy.

    `exact` maps a module, mpmath or NumPy, and arguments to values: it is called with arrays of
    float64, or with one number of mpmath after the other.
    """
    if got.dtype == SINGLE:
        want = exact(np, *(np.asarray(argument, np.float64) for argument in arguments))
        return got.astype(np.float64) - want, want
    numbers = zip(*(map(mpmath.mpf, map(float, argument)) for argument in arguments), strict=True)
    want = [exact(mpmath, *number) for number in numbers]
    wrong = [float(mpmath.mpf(float(g)) - w) for g, w in zip(got, want, strict=True)]
    return np.array(wrong), np.array([float(w) for w in want])


def largest_ulps(got, exact, *arguments):
    """Return the largest error in units in the last place of the exact value."""
    wrong, want = errors(got, exact, *arguments)
    unit = np.spacing(np.abs(want).astype(got.dtype)).astype(np.float64)
    return np.max(np.abs(wrong) / unit)


def around(value, dtype, count=200):
    """Return the numbers next to a value, in both directions."""
    middle = np.array([value], dtype)
    integer = {SINGLE: np.int32, DOUBLE: np.int64}[dtype]
    return (middle.view(integer) + np.arange(-count, count + 1, dtype=integer)).view(dtype)


@dtypes
def test_logarithm(dtype):
    least, count = SMALLEST[dtype], POINTS[dtype]
    x = np.concatenate(
        [
            np.geomspace(least, 1.0, count).astype(dtype),
            np.linspace(0.25, 4.0, count).astype(dtype),
            1 - np.geomspace(least, 0.5, 500).astype(dtype),
            around(SQRT_HALF, dtype),
            around(2 * SQRT_HALF, dtype),
            np.geomspace(np.finfo(dtype).tiny, np.finfo(dtype).max / 2, 1000).astype(dtype),
        ]
    )
    assert np.all(elementary.log(x[x == 1]) == 0)
    x = x[x != 1]
    assert largest_ulps(elementary.log(x), lambda m, x: m.log(x), x) < 2


QUARTER_TURN = {np: np.pi / 2, mpmath: mpmath.pi / 2}


def quarter_turns(dtype):
    v = np.linspace(-1.0, 1.0, POINTS[dtype])
    small = np.geomspace(np.finfo(dtype).eps, 1.0, 1000)
    return np.concatenate([v[v != 0], small, -small]).astype(dtype)


@dtypes
def test_sine(dtype):
    v = quarter_turns(dtype)
    found = elementary.sine(v)
    assert largest_ulps(found, lambda m, v: m.sin(v * QUARTER_TURN[m]), v) < 3.5
    np.testing.assert_array_equal(elementary.sine(-v), -found)
    assert elementary.sine(np.zeros(1, dtype)) == 0


@dtypes
def test_cosine(dtype):
    # Near its zeros, where v² is rounded before it is taken from 1, the error is an absolute one.
    v = quarter_turns(dtype)
    found = elementary.cosine(v)

    def exact(module, v):
        return module.sin((1 - abs(v)) * QUARTER_TURN[module])

    wrong, _ = errors(found, exact, v)
    assert np.max(np.abs(wrong)) < np.finfo(dtype).eps
    inner = v[np.abs(v) <= 0.5]
    assert largest_ulps(elementary.cosine(inner), exact, inner) < 2
    np.testing.assert_array_equal(elementary.cosine(-v), found)
    np.testing.assert_array_equal(elementary.cosine(np.array([0, 1, -1], dtype)), [1, 0, 0])


@dtypes
def test_sine_and_cosine_make_a_unit_vector(dtype):
    v = quarter_turns(dtype)
    length = np.hypot(elementary.sine(v).astype(float), elementary.cosine(v).astype(float))
    np.testing.assert_allclose(length, 1.0, rtol=2 * np.finfo(dtype).eps)


@dtypes
def test_exponential(dtype):
    low, high = {SINGLE: (-86.9, 87.9), DOUBLE: (-707.9, 708.9)}[dtype]
    x = np.linspace(low, high, POINTS[dtype]).astype(dtype)
    assert largest_ulps(elementary.exp(x), lambda m, x: m.exp(x), x) < 1
    small = np.concatenate([-np.geomspace(1e-30, 1, 500), np.geomspace(1e-30, 1, 500)])
    small = small.astype(dtype)
    assert largest_ulps(elementary.exp(small), lambda m, x: m.exp(x), small) < 1
    assert elementary.exp(np.zeros(1, dtype)) == 1


@pytest.mark.parametrize(("dtype", "low", "high"), [(SINGLE, -87, 88), (DOUBLE, -708, 709)])
def test_the_exponential_is_held_within_its_range(dtype, low, high):
    x = np.array([-np.inf, low - 100, low, high, high + 100, np.inf], dtype)
    want = np.exp(np.repeat(np.array([low, high], np.float64), 3))
    np.testing.assert_allclose(elementary.exp(x), want, rtol=np.finfo(dtype).eps)


@dtypes
def test_what_is_not_a_number_stays_so(dtype):
    x = np.full(3, np.nan, dtype)
    assert np.isnan(elementary.exp(x)).all()
    assert np.isnan(elementary.tanh(x)).all()


@dtypes
def test_tanh(dtype):
    x = np.concatenate([np.linspace(1e-3, 10, POINTS[dtype]), np.geomspace(1e-30, 10, 2000)])
    x = x.astype(dtype)
    found = elementary.tanh(x)
    assert largest_ulps(found, lambda m, x: m.tanh(x), x) < 6
    np.testing.assert_array_equal(elementary.tanh(-x), -found)
    np.testing.assert_array_equal(
        elementary.tanh(np.array([-np.inf, -40, 0, 40, np.inf], dtype)), [-1, -1, 0, 1, 1]
    )


def erfinv(module, x):
    return special.erfinv(x) if module is np else module.erfinv(x)


def test_central_quantile_in_float32():
    edge = 1 - 2 * float(elementary.CENTRAL_32)
    lean = np.concatenate([np.linspace(-edge, edge, 1_000_000), np.geomspace(1e-30, edge, 1000)])
    lean = lean.astype(np.float32)
    found = elementary.quantile_central_32(lean)
    assert largest_ulps(found, lambda m, d: m.sqrt(2) * erfinv(m, d), lean) < 7
    np.testing.assert_array_equal(elementary.quantile_central_32(-lean), -found)


def test_tail_quantile_in_float32():
    tail = np.geomspace(np.finfo(np.float32).tiny, float(elementary.CENTRAL_32), 1_000_000)
    tail = tail.astype(np.float32)
    rest = (1 - tail.astype(float)).astype(np.float32)
    found = elementary.quantile_tail_32(tail, rest)
    assert largest_ulps(found, lambda m, q: special.ndtri(q), tail) < 7
    np.testing.assert_array_equal(elementary.quantile_tail_32(rest, tail), -found)


def test_the_two_quantiles_in_float32_meet():
    # One unit in the last place of a tail moves its quantile by 2e-8 here.
    q = np.array([elementary.CENTRAL_32], np.float32)
    tail = elementary.quantile_tail_32(q, 1 - q)
    central = elementary.quantile_central_32(q - (1 - q))
    np.testing.assert_allclose(tail, central, rtol=5e-7)


def exact_quantile(q):
    """Return the normal quantile of a tail below one half, to 30 digits, by Newton's method."""
    z = mpmath.mpf(float(special.ndtri(float(q))))
    for _ in range(2):
        z -= (mpmath.ncdf(z) - q) / mpmath.npdf(z)
    return z


def test_quantile_in_float64():
    tails = np.concatenate([np.geomspace(1e-300, 0.05, 1000), around(0.075, DOUBLE, 50)])
    tails = np.concatenate([tails, around(math.exp(-25.0), DOUBLE, 50)])
    rest = 1 - tails
    found = elementary.quantile_64(tails, rest, tails - rest)
    assert largest_ulps(found, lambda m, q: exact_quantile(q), tails) < 5
    np.testing.assert_array_equal(elementary.quantile_64(rest, tails, rest - tails), -found)


def test_quantile_in_float64_follows_the_lean_in_the_middle():
    lean = np.concatenate([np.linspace(-0.85, 0.85, 1000), np.geomspace(1e-300, 0.85, 500)])
    below, above = 0.5 + 0.5 * lean, 0.5 - 0.5 * lean
    found = elementary.quantile_64(below, above, lean)
    wrong, want = errors(found, lambda m, d: m.sqrt(2) * erfinv(m, d), lean)
    assert np.max(np.abs(wrong / want)) < 1e-15
