"""Expectations of an activation and its slope that mean-field theory is built from."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import shown
from initperf.activations import ACTIVATIONS, Activation
from initperf.theory import _domain
from initperf.theory._quadrature import normal_rule, product_means
from initperf.theory.closed_forms import two_slopes_products

_NEAR = 1e-5  # a central difference over it is right to about 1e-10
_TINY = 1e-300  # below it f is two straight lines, and squares of its values underflow
_NOTHING = 1e-16  # below it the derivative by q is that at 0: the quotient would be rounding


@dataclass(frozen=True)
class Moments:
    """Expectations of f(√q z), z standard normal.

    Attributes
    ----------
    mean, square : float
        E[f] and E[f²].
    slope_square, slope_fourth : float
        E[f'²] and E[f'⁴].
    growth : float
        The derivative of E[f²] by q, E[f f' z]/√q.
    """

    mean: float
    square: float
    slope_square: float
    slope_fourth: float
    growth: float


def as_activation(activation: Activation | str) -> Activation:
    """Return the activation of a name; a record itself is returned as it is.

    Raises
    ------
    TypeError
        For anything else.
    initperf._core.registry.UnknownNameError
        For a name that is not known; the message names the nearest.
    """
    if isinstance(activation, str):
        return ACTIVATIONS[activation]
    if isinstance(activation, Activation):
        return activation
    raise TypeError(f"an activation must be a name or an Activation, not {shown(activation)}")


@functools.lru_cache(maxsize=4096)
def moments(activation: Activation, q: float) -> Moments:
    """Return expectations of f(√q z), to a relative 1e-12; `growth` to 1e-15/√q absolute as well.

    Parameters
    ----------
    activation : Activation
    q : float
        The second moment of pre-activations, at least 0. At 0 all are limits from above, and both
        sides of a kink count alike; `growth` is then right to 1e-9.
    """
    z, weights, root = normal_rule(activation, q)
    value, slope = activation.value_and_slope(root * z)
    mean, square = float(weights @ value), float(weights @ (value * value))
    if q < _TINY and (lines := _lines_at_0(activation)) is not None:
        below, above = lines
        mean = math.sqrt(q) * (above - below) / math.sqrt(2.0 * math.pi)
        square = q * (0.5 * (below * below + above * above))
    square_of_slope = slope * slope
    mean_square = float(weights @ square_of_slope)
    if q < _NOTHING:
        # the second derivative counts where f(0) is not 0, and there no activation has a kink
        bent = np.diff(activation.derivative(np.array([-_NEAR, _NEAR])))[0] / (2.0 * _NEAR)
        growth = mean_square + float(activation.value(0.0)) * float(bent)
    else:
        growth = float(weights @ (value * slope * z)) / root
    return Moments(
        mean=mean,
        square=square,
        slope_square=mean_square,
        slope_fourth=float(weights @ (square_of_slope * square_of_slope)),
        growth=growth,
    )


def _lines_at_0(activation: Activation) -> tuple[float, float] | None:
    """Return the slopes just below and just above 0; None where f(0) is not 0."""
    if float(activation.value(0.0)) != 0.0:
        return None
    below, above = activation.derivative(np.array([-1.0, 1.0]) * math.sqrt(_TINY))
    return float(below), float(above)


@functools.lru_cache(maxsize=256)
def slopes(activation: Activation) -> tuple[float, float] | None:
    """Return the slopes below and above 0 of an activation without others, as ReLU; else None."""
    x = np.geomspace(1e-6, 1e6, 241)
    sides = []
    for side in (-x, x):
        value, slope = activation.value_and_slope(side)
        if not (np.all(slope == slope[0]) and np.allclose(value, slope[0] * side, 1e-15, 0.0)):
            return None
        sides.append(float(slope[0]))
    return sides[0], sides[1]


@functools.lru_cache(maxsize=4096)
def products(
    activation: Activation, first: float, second: float, correlation: float
) -> tuple[float, float]:
    """Return E[f(u) f(v)] and E[f'(u) f'(v)] of normal u and v of mean 0.

    Parameters
    ----------
    activation : Activation
        In closed form where it has but two slopes; else by quadrature.
    first, second : float
        E[u²] and E[v²], at least 0.
    correlation : float
        In [−1, 1].

    Returns
    -------
    tuple of float
        To 1e-12 of the root of the product of the second moments of f(u) and f(v), and of f'(u)
        and f'(v).
    """
    both = slopes(activation)
    if both is not None:
        return two_slopes_products(both, first, second, correlation)
    value, slope = product_means(activation, first, second, correlation)
    if first == 0.0 or second == 0.0:  # one of the two is the constant f(0)
        value = float(activation.value(0.0)) * moments(activation, max(first, second)).mean
    elif min(first, second) < _TINY and _lines_at_0(activation) is not None:
        # the quadrature stands for 1e-300, and f is proportional to what lies below it
        for q in (first, second):
            value *= min(1.0, math.sqrt(q) / math.sqrt(_TINY))
    return value, slope


def activation_variance(activation: Activation | str, q: Any) -> Any:
    """Return the variance of f(√q z), z standard normal: of a layer's activations.

    Parameters
    ----------
    activation : Activation or str
    q : float or array_like
        The second moment of the pre-activations, at least 0.

    Returns
    -------
    float or numpy.ndarray
        To 1e-12 of the second moment.

    Raises
    ------
    ValueError
        For a second moment that is negative or not finite, or an unknown name.
    """
    found = as_activation(activation)

    def scalar(q: float) -> float:
        expected = moments(found, q)
        return expected.square - expected.mean * expected.mean

    return _domain.elementwise(scalar, _domain.second_moment(q))


def scale(factor: float) -> float:
    """Return in how many layers a deviation shrinks to 1/e that each multiplies by `factor`.

    −1/log of it: 0 where one layer takes all, infinite at 1, negative where deviations grow.
    """
    if factor <= 0.0:
        return 0.0
    rate = -math.log(factor)
    return math.inf if abs(rate) < 1e-9 else 1.0 / rate
