"""Maps of mean-field theory at one point: of numbers, without checks; see `MeanField`.

Their arguments are an activation, σw², σb² and, last, a second moment q.
"""

import math

from scipy.optimize import brentq

from initperf.activations import Activation
from initperf.theory._moments import moments, products, scale

_STRIDE = 1.05
LARGEST = 1e12  # a second moment beyond it has diverged
_SMALLEST = 1e-12  # and one below it is 0
_SETTLED = 1e-12
_CRITICAL = 1e-9  # χ₁ is 1 where it differs by less, as it does by rounding on the critical line
_ITERATIONS = 200


def q_map(activation: Activation, weight: float, bias: float, q: float) -> float:
    """Return σw² E[f(√q z)²] + σb²."""
    return weight * moments(activation, q).square + bias


def q_slope(activation: Activation, weight: float, bias: float, q: float) -> float:
    """Return the derivative of `q_map` by q."""
    return weight * moments(activation, q).growth


def chi(activation: Activation, weight: float, bias: float, q: float) -> float:
    """Return σw² E[f'(√q z)²]."""
    return weight * moments(activation, q).slope_square


def correlation_map(
    activation: Activation, weight: float, bias: float, correlation: float, q: float
) -> float:
    """Return the next correlation of two inputs of second moment q; NaN where the next is 0."""
    following = q_map(activation, weight, bias, q)
    if following == 0.0:
        return math.nan
    return (weight * products(activation, q, q, correlation)[0] + bias) / following


def correlation_slope(
    activation: Activation, weight: float, bias: float, correlation: float, q: float
) -> float:
    """Return the derivative of `correlation_map` by the correlation."""
    following = q_map(activation, weight, bias, q)
    if following == 0.0:
        return math.nan
    return weight * q * products(activation, q, q, correlation)[1] / following


def fixed_point(activation: Activation, weight: float, bias: float, start: float) -> float:
    """Return where the second moment comes to rest: the first sign change on its way."""

    def excess(q: float) -> float:
        return q_map(activation, weight, bias, q) - q

    first = excess(start)
    if abs(first) <= _SETTLED * start:
        return start
    factor = _STRIDE if first > 0.0 else 1.0 / _STRIDE
    q = max(start, _SMALLEST)
    while _SMALLEST <= q <= LARGEST:
        following = q * factor
        if excess(following) * first <= 0.0:
            return float(brentq(excess, min(q, following), max(q, following), xtol=1e-15))
        q = following
    if first > 0.0:
        raise ValueError(
            f"with {activation.name}, weight_variance {weight:g} and bias_variance {bias:g} the "
            "second moment grows without bound"
        )
    return 0.0


def fixed_correlation(activation: Activation, weight: float, bias: float, q: float) -> float:
    """Return where the correlation comes to rest, by Newton's method from 0 if χ₁ is above 1."""
    if chi(activation, weight, bias, q) <= 1.0 + _CRITICAL:
        return 1.0
    correlation = 0.0
    for _ in range(_ITERATIONS):
        excess = correlation_map(activation, weight, bias, correlation, q) - correlation
        slope = correlation_slope(activation, weight, bias, correlation, q)
        step = excess / (1.0 - slope)
        if not (slope < 1.0 and abs(step) > 1e-15):
            break
        correlation = min(1.0, max(0.0, correlation + step))
    return correlation


def q_scale(activation: Activation, weight: float, bias: float, q: float) -> float:
    """Return the depth scale of second moments."""
    return scale(q_slope(activation, weight, bias, q))


def correlation_scale(activation: Activation, weight: float, bias: float, q: float) -> float:
    """Return the depth scale of correlations."""
    correlation = fixed_correlation(activation, weight, bias, q)
    if correlation == 1.0:
        return scale(chi(activation, weight, bias, q))
    return scale(correlation_slope(activation, weight, bias, correlation, q))
