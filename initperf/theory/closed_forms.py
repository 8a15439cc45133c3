"""Expectations of products of activations that have closed forms: ReLU's relatives and erf.

For u and v normal of mean 0 with E[u²] = q₁, E[v²] = q₂ and the correlation c. Cho & Saul, "Kernel
methods for deep learning", NeurIPS 2009, give those of the powers of ReLU; Williams, "Computing
with infinite networks", NeurIPS 1997, those of erf.
"""

import math
from typing import Any

import numpy as np

from initperf._core.arguments import whole
from initperf.theory import _domain

_HIGHEST = 2


def arc_cosine(correlation: Any, order: int = 1) -> Any:
    """Return 2 E[step(z) zⁿ step(w) wⁿ] of standard normal z and w: k_n of Cho & Saul for unit x.

    J_n(θ)/π with θ = arccos c. Of order 1 it is the product of two ReLU of unit
    second moment; of order 0, that of their slopes.

    Parameters
    ----------
    correlation : float or array_like
        c, in [−1, 1].
    order : int
        n: 0, 1 or 2.

    Returns
    -------
    float or numpy.ndarray
        To 4e-16, for order 2 to 2e-15, absolute.

    Raises
    ------
    ValueError
        For a correlation outside of [−1, 1] or another order.

    Examples
    --------
    >>> from initperf.theory import arc_cosine
    >>> round(arc_cosine(0.0), 6), arc_cosine(1.0)
    (0.31831, 1.0)
    """
    c = _domain.correlation(correlation)
    if whole("order", order, 0) > _HIGHEST:
        raise ValueError(f"order must be 0, 1 or {_HIGHEST}, not {order!r}")
    angle, sine = np.arccos(c), np.sqrt((1.0 - c) * (1.0 + c))
    if order == 0:
        result = 1.0 - angle / math.pi
    elif order == 1:
        result = (sine + (math.pi - angle) * c) / math.pi
    else:
        result = (3.0 * sine * c + (math.pi - angle) * (1.0 + 2.0 * c * c)) / math.pi
    return result if np.ndim(c) else float(result)


def erf_product(first: Any, second: Any, correlation: Any) -> Any:
    """Return E[erf(u) erf(v)] = (2/π) arcsin(2k / √((1 + 2q₁)(1 + 2q₂))), k = c √(q₁ q₂).

    Parameters
    ----------
    first, second : float or array_like
        The second moments q₁ and q₂, at least 0.
    correlation : float or array_like
        c, in [−1, 1].

    Returns
    -------
    float or numpy.ndarray
        To 1e-15, and to 1e-8 where the arcsine's argument is within 1e-15 of 1.

    Raises
    ------
    ValueError
        For an argument outside of its domain.
    """
    q1, q2 = _domain.second_moment(first), _domain.second_moment(second)
    k = _domain.correlation(correlation) * np.sqrt(q1 * q2)
    result = np.arcsin(2.0 * k / np.sqrt((1.0 + 2.0 * q1) * (1.0 + 2.0 * q2))) * 2.0 / math.pi
    return result if np.ndim(result) else float(result)


def erf_slope_product(first: Any, second: Any, correlation: Any) -> Any:
    """Return E[erf'(u) erf'(v)] = (4/π) / √((1 + 2q₁)(1 + 2q₂) − 4k²).

    Parameters
    ----------
    first, second : float or array_like
        The second moments q₁ and q₂, at least 0.
    correlation : float or array_like
        c, in [−1, 1].

    Returns
    -------
    float or numpy.ndarray
        To a relative 1e-15 (1 + q₁ + q₂).

    Raises
    ------
    ValueError
        For an argument outside of its domain.
    """
    q1, q2 = _domain.second_moment(first), _domain.second_moment(second)
    c = _domain.correlation(correlation)
    # (1 + 2q₁)(1 + 2q₂) − 4c²q₁q₂ without the difference of large numbers
    determinant = 1.0 + 2.0 * (q1 + q2) + 4.0 * q1 * q2 * (1.0 - c) * (1.0 + c)
    result = 4.0 / math.pi / np.sqrt(determinant)
    return result if np.ndim(result) else float(result)


def two_slopes_products(
    slopes: tuple[float, float], first: float, second: float, correlation: float
) -> tuple[float, float]:
    """Return E[f(u) f(v)] and E[f'(u) f'(v)] of f with one slope below 0 and another above.

    f(x) is a mean slope times x plus half the difference of slopes times |x|.

    Parameters
    ----------
    slopes : tuple of float
        The slope below 0 and the one above.
    first, second : float
        The second moments q₁ and q₂.
    correlation : float
        c.

    Returns
    -------
    tuple of float
        To 1e-15 of the root of the product of the second moments of f(u) and f(v).
    """
    even = (0.5 * (slopes[0] + slopes[1])) ** 2
    odd = (0.5 * (slopes[1] - slopes[0])) ** 2
    arcsine = math.asin(correlation) * 2.0 / math.pi
    absolute = math.sqrt((1.0 - correlation) * (1.0 + correlation)) * 2.0 / math.pi
    absolute += correlation * arcsine
    value = math.sqrt(first) * math.sqrt(second) * (even * correlation + odd * absolute)
    return value, even + odd * arcsine
