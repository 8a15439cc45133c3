"""Logarithm, exponential, sine, cosine, tanh and normal quantile with the same bits everywhere.

Each consists of IEEE additions, multiplications, divisions, square roots and integer operations
only, in the order written, without branches: it runs at the full width of the vector unit, and
gives the same bits on NumPy arrays and, compiled, on scalars. Polynomials of five terms and more
are summed by Estrin's scheme (Proceedings of the Western Joint Computer Conference 1960), whose
chains of dependent operations are short; where the constant term dominates it is added last,
which leaves one rounding. Polynomials interpolate at Chebyshev nodes in 40 digits; the rational
functions of the float32 quantile are least-squares fits reweighted towards equal relative error;
those of the float64 quantile are Wichura's algorithm AS 241 (Applied Statistics 37, 1988). The
tests state and measure the accuracy of each.
"""

import math
from typing import Any

import numpy as np

from initperf.jit.policy import by_dtype, held, portable, where

_F = np.float32
_D = np.float64
_SQRT_HALF_32 = np.int32(0x3F3504F3)
_SQRT_HALF_64 = np.uint64(0x3FE6A09E667F3BCD)
_BIAS_64 = np.uint64(1024 << 52)  # keeps exponents positive: vectors of int64 have no signed shift
_INTEGER_64 = np.uint64(0x4330000000000000)  # 2.0**52, in whose lowest bits integers stand
_LN_2_HIGH = _D(6.93147180369123816490e-01)
_LN_2_LOW = _D(1.90821492927058770002e-10)


def _single(*coefficients: float) -> tuple[np.float32, ...]:
    return tuple(map(_F, coefficients))


@portable
def _polynomial_3(x: Any, c: tuple[Any, ...]) -> Any:
    return held(c[0]) + x * (held(c[1]) + x * held(c[2]))


@portable
def _polynomial_4(x: Any, c: tuple[Any, ...]) -> Any:
    return held(c[0]) + x * (held(c[1]) + x * (held(c[2]) + x * held(c[3])))


@portable
def _polynomial_5(x: Any, c: tuple[Any, ...]) -> Any:
    xx = x * x
    high = (held(c[2]) + x * held(c[3])) + xx * held(c[4])
    return held(c[0]) + (x * held(c[1]) + xx * high)


@portable
def _polynomial_6(x: Any, c: tuple[Any, ...]) -> Any:
    low = held(c[0]) + x * (held(c[1]) + x * held(c[2]))
    high = held(c[3]) + x * (held(c[4]) + x * held(c[5]))
    return low + ((x * x) * x) * high


@portable
def _held_8(c: tuple[Any, ...]) -> tuple[Any, ...]:
    return (
        held(c[0]),
        held(c[1]),
        held(c[2]),
        held(c[3]),
        held(c[4]),
        held(c[5]),
        held(c[6]),
        held(c[7]),
    )


@portable
def _sum_8(x: Any, c: tuple[Any, ...]) -> Any:
    xx = x * x
    low = (c[0] + x * c[1]) + xx * (c[2] + x * c[3])
    high = (c[4] + x * c[5]) + xx * (c[6] + x * c[7])
    return low + (xx * xx) * high


@portable
def _polynomial_8(x: Any, c: tuple[Any, ...]) -> Any:
    return _sum_8(x, _held_8(c))


@portable
def _where_8(condition: Any, yes: tuple[Any, ...], no: tuple[Any, ...]) -> tuple[Any, ...]:
    return (
        where(condition, yes[0], no[0]),
        where(condition, yes[1], no[1]),
        where(condition, yes[2], no[2]),
        where(condition, yes[3], no[3]),
        where(condition, yes[4], no[4]),
        where(condition, yes[5], no[5]),
        where(condition, yes[6], no[6]),
        where(condition, yes[7], no[7]),
    )


@portable
def _polynomial_9(x: Any, c: tuple[Any, ...]) -> Any:
    xx = x * x
    low = x * held(c[1]) + xx * (held(c[2]) + x * held(c[3]))
    high = (held(c[4]) + x * held(c[5])) + xx * ((held(c[6]) + x * held(c[7])) + xx * held(c[8]))
    return held(c[0]) + (low + (xx * xx) * high)


_LOG_32 = _single(0.66666685039575855, 0.399887805660219819, 0.295799493919727847)
_LOG_64 = (
    0.666666666666666665,
    0.40000000000000877,
    0.285714285708036118,
    0.222222223917139174,
    0.181817956401329063,
    0.153862397028146582,
    0.132687731386568852,
    0.130866261478401021,
)


@portable
def _log_32(u: Any) -> Any:
    bits = np.float32(u).view(np.int32)
    exponent = np.int32(np.int32(bits - _SQRT_HALF_32) >> 23)
    mantissa = np.int32(bits - np.int32(exponent << 23)).view(np.float32)
    s = (mantissa - _F(1.0)) / (mantissa + _F(1.0))
    t = s * s
    return _F(exponent) * _F(math.log(2.0)) + (_F(2.0) * s + (s * t) * _polynomial_3(t, _LOG_32))


@portable
def _log_64(u: Any) -> Any:
    bits = np.uint64(np.float64(u).view(np.uint64) + _BIAS_64)
    exponent = np.uint64(np.uint64(bits - _SQRT_HALF_64) >> np.uint64(52))
    mantissa = np.uint64(bits - np.uint64(exponent << np.uint64(52))).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    t = s * s
    e = np.uint64(exponent | _INTEGER_64).view(np.float64) - _D(2.0**52 + 1024.0)
    return e * _LN_2_HIGH + (2.0 * s + ((s * t) * _polynomial_8(t, _LOG_64) + e * _LN_2_LOW))


log = by_dtype(_log_32, _log_64)
"""Natural logarithm of a positive, normal, finite number; to 2 units in the last place."""

_SINE_32 = _single(
    1.57079632003860163,
    -0.645963759583539301,
    0.0796899183290284958,
    -0.00467414383815177762,
    0.000151671703664089589,
)
_SINE_64 = (
    1.57079632679489662,
    -0.645964097506246201,
    0.0796926262461656398,
    -0.00468175413530425532,
    0.000160441184713091592,
    -3.59884302046725752e-6,
    5.69213642809862525e-8,
    -6.68441683185608435e-10,
    5.87297574479995014e-12,
)
_COSINE_32 = _single(
    0.999999999122609207,
    -0.233700506254597465,
    0.0199686062068002781,
    -0.000893535501463273779,
    0.0000236006895813019241,
)
_COSINE_64 = (
    1.0,
    -0.233700550136169823,
    0.0199689577648780762,
    -0.000894522998473644435,
    0.0000247372763588367309,
    -4.64765991595297768e-7,
    6.32144090425835745e-9,
    -6.51052915879768461e-11,
    5.10846968542241e-13,
)


@portable
def _sine_32(v: Any) -> Any:
    return v * _polynomial_5(v * v, _SINE_32)


@portable
def _sine_64(v: Any) -> Any:
    return v * _polynomial_9(v * v, _SINE_64)


@portable
def _cosine_32(v: Any) -> Any:
    t = v * v
    return (_F(1.0) - t) * _polynomial_5(t, _COSINE_32)


@portable
def _cosine_64(v: Any) -> Any:
    t = v * v
    return (1.0 - t) * _polynomial_9(t, _COSINE_64)


sine = by_dtype(_sine_32, _sine_64)
"""Sine of v quarter turns, -1 <= v <= 1; to 3.5 units in the last place."""

cosine = by_dtype(_cosine_32, _cosine_64)
"""Cosine of v quarter turns, -1 <= v <= 1; to eps, and to 2 units in the last place up to 1/2."""

_EXP_32 = _single(
    0.50000000134658092,
    0.166666666816232314,
    0.0416664649252859054,
    0.00833331092548090083,
    0.00139336499963092504,
    0.000198909908246736538,
)
_ROUNDING_32 = _F(1.5 * 2.0**23)  # adding it leaves the nearest integer in the lowest bits
_LN_2_HIGH_32 = _F(0.693145751953125)
_LN_2_LOW_32 = _F(1.42860682030941723e-6)


@portable
def _exp_32(x: Any) -> Any:
    x = where(x < _F(-87.0), _F(-87.0), x)
    x = where(x > _F(88.0), _F(88.0), x)
    shifted = x * _F(1.4426950408889634) + _ROUNDING_32
    n = shifted - _ROUNDING_32
    r = (x - n * _LN_2_HIGH_32) - n * _LN_2_LOW_32
    series = _polynomial_6(r, _EXP_32)
    bits = np.int32(np.float32(shifted).view(np.int32) + np.int32(127))
    power = np.int32(bits << 23).view(np.float32)
    return (_F(1.0) + (r + (r * r) * series)) * power


_EXP_64 = tuple(1.0 / math.factorial(power) for power in range(2, 14))
_ROUNDING_64 = _D(1.5 * 2.0**52)


@portable
def _parted_64(x: Any) -> tuple[Any, Any]:
    """Return e to the power r, less 1, and 2 to the power n, where x = n log 2 + r."""
    shifted = x * _D(1.4426950408889634) + _ROUNDING_64
    n = shifted - _ROUNDING_64
    r = (x - n * _LN_2_HIGH) - n * _LN_2_LOW
    rr = r * r
    low, high = _polynomial_6(r, _EXP_64[:6]), _polynomial_6(r, _EXP_64[6:])
    series = low + ((rr * rr) * rr) * high
    bits = np.uint64(np.float64(shifted).view(np.uint64) + np.uint64(1023))
    return r + rr * series, np.uint64(bits << np.uint64(52)).view(np.float64)


@portable
def _exp_64(x: Any) -> Any:
    x = where(x < _D(-708.0), _D(-708.0), x)
    x = where(x > _D(709.0), _D(709.0), x)
    rise, power = _parted_64(x)
    return (1.0 + rise) * power


exp = by_dtype(_exp_32, _exp_64)
"""Exponential, to 1 unit in the last place.

Held within [exp(-87), exp(88)] in float32, and [exp(-708), exp(709)] in float64.
"""

_TANH_NUMERATOR_32 = _single(
    0.9999999852568462,
    0.13400473301743776,
    0.003518751690713201,
    2.0993951544600245e-05,
    1.3897778971483624e-08,
)
_TANH_DENOMINATOR_32 = _single(
    1.0,
    0.46733793566680865,
    0.02596492358366874,
    0.0003323660210355395,
    7.996591646120729e-07,
)


@portable
def _tanh_32(x: Any) -> Any:
    x = where(x < _F(-8.7), _F(-8.7), x)
    x = where(x > _F(8.7), _F(8.7), x)
    t = x * x
    y = x * (_polynomial_5(t, _TANH_NUMERATOR_32) / _polynomial_5(t, _TANH_DENOMINATOR_32))
    y = where(y < _F(-1.0), _F(-1.0), y)
    return where(y > _F(1.0), _F(1.0), y)


@portable
def _tanh_64(x: Any) -> Any:
    size = abs(x)
    size = where(size > _D(20.0), _D(20.0), size)
    rise, power = _parted_64(size + size)
    grown = rise * power + (power - 1.0)  # exp(2 |x|) - 1
    y = grown / (grown + 2.0)
    return where(x < 0.0, -y, y)


tanh = by_dtype(_tanh_32, _tanh_64)
"""Hyperbolic tangent, to 6 units in the last place down to the smallest arguments."""

CENTRAL_32 = _F(0.0225)
"""The smaller tail above which the float32 quantile needs no logarithm; 2 sigma is inside."""

_CENTRAL_NUMERATOR_32 = _single(
    3.112462994204228,
    132.46611475879666,
    765.1433434267377,
    753.1766827956053,
    69.2810869377347,
)
_CENTRAL_DENOMINATOR_32 = _single(
    1.0, 57.75754988433698, 456.8345934673453, 698.0685179578701, 161.23771275133188
)
_TAIL_NUMERATOR_32 = _single(
    -2.5743482905976474, -0.39861560632640974, 1.7378325417246385, 0.3925302936160395
)
_TAIL_DENOMINATOR_32 = _single(1.0, 1.7665276651586779, 0.39180547587832537, 1.0834514382995764e-05)


@portable
def quantile_central_32(lean: Any) -> Any:
    """Return the normal quantile where neither tail is under CENTRAL_32; float32.

    The lean is the mass below less the mass above. To 7 units in the last place.
    """
    w = _F(1.0) - lean * lean
    return lean * (
        _polynomial_5(w, _CENTRAL_NUMERATOR_32) / _polynomial_5(w, _CENTRAL_DENOMINATOR_32)
    )


@portable
def quantile_tail_32(below: Any, above: Any) -> Any:
    """Return the normal quantile where a tail is under CENTRAL_32, down to 1.2e-38; float32.

    To 7 units in the last place.
    """
    s = np.sqrt(_F(-2.0) * _log_32(where(below < above, below, above)))
    z = _polynomial_4(s, _TAIL_NUMERATOR_32) / _polynomial_4(s, _TAIL_DENOMINATOR_32)
    return where(below < above, -z, z)


_CENTRAL_NUMERATOR_64 = (
    3.3871328727963666080e0,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
)
_CENTRAL_DENOMINATOR_64 = (
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
)
_MIDDLE_NUMERATOR_64 = (
    1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
)
_MIDDLE_DENOMINATOR_64 = (
    1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)
_FAR_NUMERATOR_64 = (
    6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
)
_FAR_DENOMINATOR_64 = (
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
)


@portable
def quantile_64(below: Any, above: Any, lean: Any) -> Any:
    """Return the normal quantile, tails down to the smallest normal number; float64.

    The lean is the mass below less the mass above; where it is small, it alone decides.
    To 5 units in the last place of what the tail or the lean stands for. The coefficients are
    selected and not the quotients, so that a lane computes one polynomial of the two and not both.
    """
    q = 0.5 * lean
    t = 0.180625 - q * q
    central = q * (
        _polynomial_8(t, _CENTRAL_NUMERATOR_64) / _polynomial_8(t, _CENTRAL_DENOMINATOR_64)
    )
    r = np.sqrt(-_log_64(where(below < above, below, above)))
    is_middle = r <= 5.0
    beyond = r - where(is_middle, 1.6, 5.0)
    numerator = _where_8(is_middle, _held_8(_MIDDLE_NUMERATOR_64), _held_8(_FAR_NUMERATOR_64))
    denominator = _where_8(is_middle, _held_8(_MIDDLE_DENOMINATOR_64), _held_8(_FAR_DENOMINATOR_64))
    tail = _sum_8(beyond, numerator) / _sum_8(beyond, denominator)
    return where(np.abs(q) <= 0.425, central, where(q < 0.0, -tail, tail))
