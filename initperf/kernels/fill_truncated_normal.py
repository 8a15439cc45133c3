"""Truncated normal fill by inversion of the distribution function.

A value is the normal quantile of ``below + inside u``, where `below` and `inside` are the masses
below and between the bounds. The quantile is a function of both tails, ``below + inside u`` and
``above + inside (1 - u)``, and of their difference, the lean, each exact to rounding where it is
small: the distribution is as accurate in the tails as in the middle, and between narrow bounds as
between wide ones. A float32 uses one Philox word, a float64 two.

Functions here take up to eleven scalars, because a record would be unboxed at every call.
"""

import dataclasses
import decimal
import functools
import math
from typing import Any, NamedTuple

import numpy as np

from initperf.jit.elementary import CENTRAL_32, quantile_64, quantile_central_32, quantile_tail_32
from initperf.jit.policy import by_dtype, jit, portable, where
from initperf.kernels._kernel import register
from initperf.kernels._philox_block import COUNTERS, WORDS
from initperf.kernels.fill_uniform import bounds_32, fraction_64
from initperf.kernels.philox import (
    OPERATIONS,
    block_fill,
    fill_cases,
    fill_loads,
    reference_fill,
)

_F = np.float32
_DIGITS = decimal.Context(prec=60, Emin=-999999, Emax=999999)
_PI = decimal.Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def _upper_tail(x: float) -> decimal.Decimal:
    """Return the mass of the standard normal distribution above x >= 0, to 50 digits."""
    if math.isinf(x):
        return decimal.Decimal(0)
    at = decimal.Decimal(x)
    density = (-at * at / 2).exp() / (2 * _PI).sqrt()
    if x > 4.0:
        fraction = at
        for step in range(400, 0, -1):
            fraction = at + step / fraction
        return density / fraction
    term = total = at
    odd = 1
    while term > total * decimal.Decimal("1e-58"):
        odd += 2
        term = term * at * at / odd
        total += term
    return decimal.Decimal("0.5") - density * total


@functools.lru_cache(maxsize=256)
def masses(low: float, high: float) -> tuple[float, float, float]:
    """Return the mass of the standard normal below `low`, between the bounds and above `high`.

    Each is the exact mass rounded once, on every platform: the arithmetic is decimal, with 60
    digits, so that the bits of a draw do not depend on a mathematical library.

    Parameters
    ----------
    low, high : float
        Bounds in standard deviations from the mean; may be infinite.

    Returns
    -------
    tuple of float
        (below, inside, above), which add up to 1.
    """
    with decimal.localcontext(_DIGITS):
        below, above = (1 - _upper_tail(-x) if x < 0 else _upper_tail(x) for x in (-low, high))
        if high <= 0:
            inside = _upper_tail(-high) - _upper_tail(-low)
        elif low >= 0:
            inside = _upper_tail(low) - _upper_tail(high)
        else:
            inside = 1 - below - above
        return float(below), float(inside), float(above)


@portable
def _tails_32(word: Any, below: Any, inside: Any, above: Any) -> tuple[Any, Any]:
    k = np.int32(np.int32(np.int32(word) >> 1) + np.int32(1 << 30))
    u = (_F(k) + _F(0.5)) * _F(2.0**-31)
    rest = (_F(np.int32(np.int32(2147483647) - k)) + _F(0.5)) * _F(2.0**-31)
    return below + inside * u, above + inside * rest


@portable
def _central_32(word: Any, inside: Any, lean: Any) -> Any:
    side = (_F(np.int32(np.int32(word) >> 1)) + _F(0.5)) * _F(2.0**-30)
    return quantile_central_32(lean + inside * side)


@portable
def _within(value: Any, low: Any, high: Any) -> Any:
    value = where(value < low, low, value)
    return where(value > high, high, value)


class _Truncated(NamedTuple):
    """Truncated normal in the dtype that is drawn: `masses` and the parameters of the kernel.

    `lean` is `below` less `above`, by which the middle of the mass differs from the median.
    """

    mean: Any
    std: Any
    low: Any
    high: Any
    below: Any
    inside: Any
    above: Any
    lean: Any


@portable
def _middle_32(word: Any, t: Any) -> Any:
    return _within(t.mean + t.std * _central_32(word, t.inside, t.lean), t.low, t.high)


@portable
def _anywhere_32(word: Any, t: Any) -> Any:
    p, q = _tails_32(word, t.below, t.inside, t.above)
    central = where(p < q, p, q) > CENTRAL_32
    z = where(central, _central_32(word, t.inside, t.lean), quantile_tail_32(p, q))
    return _within(t.mean + t.std * z, t.low, t.high)


@portable
def _value_64(word_0: Any, word_1: Any, t: Any) -> Any:
    fraction = fraction_64(word_0, word_1)
    u = (fraction - 1.0) + 2.0**-53
    rest = (2.0 - fraction) - 2.0**-53
    side = 2.0 * (fraction - 1.5) + 2.0**-52
    z = quantile_64(t.below + t.inside * u, t.above + t.inside * rest, t.lean + t.inside * side)
    return _within(t.mean + t.std * z, t.low, t.high)


@portable
def _truncated_32(_: Any, mean: Any, std: Any, low: Any, high: Any, b: Any, i: Any, a: Any) -> Any:
    first, last = bounds_32(low, high)
    return (_Truncated(_F(mean), _F(std), first, last, _F(b), _F(i), _F(a), _F(b - a)),)


@portable
def _truncated_64(_: Any, mean: Any, std: Any, low: Any, high: Any, b: Any, i: Any, a: Any) -> Any:
    return (_Truncated(mean, std, low, high, b, i, a, b - a),)


truncated_normal_constants = by_dtype(_truncated_32, _truncated_64)


def _values(words: np.ndarray, dtype: np.dtype, t: _Truncated) -> Any:
    if dtype == np.float32:
        return _anywhere_32(words, t)
    return _value_64(words[:, 0::2], words[:, 1::2], t)


def fill_truncated_normal_reference(
    out: np.ndarray,
    key: np.uint64,
    stream: np.uint64,
    start: np.uint64,
    mean: float,
    std: float,
    low: float,
    high: float,
    below: float,
    inside: float,
    above: float,
) -> None:
    """Fill an array with N(mean, std²) truncated to [low, high].

    Parameters
    ----------
    out : numpy.ndarray
        Written; shape (count,), contiguous, float32 or float64.
    key, stream, start : numpy.uint64
        Key of the generator, number of the stream, and index of the first value in it.
    mean, std : float
        Mean and standard deviation before truncation.
    low, high : float
        Bounds of the values; either may be infinite.
    below, inside, above : float
        As `masses` returns them for the bounds in standard deviations.

    Notes
    -----
    All parameters are scalars, eleven with those of the stream, as of the other fills: a record
    would be opened, field by field, at each call of compiled code.
    """
    constants = truncated_normal_constants(out, mean, std, low, high, below, inside, above)
    with np.errstate(divide="ignore", invalid="ignore"):
        reference_fill(out, key, stream, start, lambda words: _values(words, out.dtype, *constants))


@portable
def _block_32(target: Any, words: Any, t: Any) -> None:
    if t.below > CENTRAL_32 and t.above > CENTRAL_32:
        for j in range(WORDS):
            target[j] = _middle_32(words[j], t)
    else:
        for j in range(WORDS):
            target[j] = _anywhere_32(words[j], t)


@portable
def _block_64(target: Any, words: Any, t: Any) -> None:
    for half in range(2):
        part = words[2 * half * COUNTERS : (2 * half + 2) * COUNTERS]
        values = target[half * COUNTERS : (half + 1) * COUNTERS]
        for j in range(COUNTERS):
            values[j] = _value_64(part[j], part[COUNTERS + j], t)


truncated_normal_block = by_dtype(_block_32, _block_64)
_fill = block_fill(truncated_normal_block)


@jit
def fill_truncated_normal(
    out: np.ndarray,
    key: np.uint64,
    stream: np.uint64,
    start: np.uint64,
    mean: float,
    std: float,
    low: float,
    high: float,
    below: float,
    inside: float,
    above: float,
) -> None:
    """Fill an array with a truncated normal; see `fill_truncated_normal_reference`."""
    constants = truncated_normal_constants(out, mean, std, low, high, below, inside, above)
    _fill(out, key, stream, start, constants)


def _cases() -> Any:
    yield from fill_cases(("float32", "float64"), 0.5, 2.0, -3.5, 4.5, *masses(-2.0, 2.0))
    for low, high in ((-2.0, math.inf), (5.0, 6.0), (-9.0, -8.0), (-0.1, 3.0)):
        parameters = (0.0, 1.0, low, high, *masses(low, high))
        for case in fill_cases(("float32", "float64"), *parameters):
            if case.label.endswith("-1000-from-0"):
                yield dataclasses.replace(case, label=f"{case.label}-between-{low}-and-{high}")


_OPERATIONS = {"float32": OPERATIONS + 36, "float64": 2 * OPERATIONS + 51}

register(
    "fill_truncated_normal",
    numpy=fill_truncated_normal_reference,
    numba=fill_truncated_normal,
    cases=_cases,
    loads=lambda: fill_loads(_OPERATIONS, 0.0, 1.0, -2.0, 2.0, *masses(-2.0, 2.0)),
)
