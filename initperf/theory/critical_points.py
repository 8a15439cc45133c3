"""Critical weights: variances at which gradients neither vanish nor explode, χ₁ = 1.

For a given q*, χ₁ = 1 gives σw² = 1/E[f'²], and the fixed point then σb² = q* − σw² E[f²]: the
critical line, with q* as its parameter. A given σb² is one equation for q*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from initperf.activations import Activation
from initperf.theory import _domain
from initperf.theory._moments import as_activation, moments
from initperf.theory._partition import RoughError
from initperf.theory.mean_field import MeanField

_PLACES = [float(q) for q in np.geomspace(1e-6, 1e6, 241)]
_APART = 1e-3
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Critical:
    """Variances of weights and biases at which χ₁ = 1, and the second moment at rest there.

    Attributes
    ----------
    weight_variance : float
        σw²: a weight has the variance σw²/n, n the fan-in.
    bias_variance : float
        σb².
    q : float
        q*, the fixed point of the second moment of pre-activations.
    """

    weight_variance: float
    bias_variance: float
    q: float


def critical(activation: Activation | str, bias_variance: float | None = None) -> Critical:
    """Return the weight variance at which gradients neither vanish nor explode.

    Of the solutions for q* the first is taken that attracts what is near, from below or above.

    Parameters
    ----------
    activation : Activation or str
    bias_variance : float, optional
        σb²; by default the least with such a q*. That is 0 for most activations. SiLU and GELU
        need biases; theirs are those of Roberts, Yaida & Hanin, "The principles of deep learning
        theory" (2106.10165), section 5.3.4.

    Returns
    -------
    Critical
        To a relative 1e-9. Where every q* is a fixed point, as ReLU's without biases, it is the
        one of 1.

    Raises
    ------
    ValueError
        When there is none; the message names a bias variance that has one, if any has.

    Examples
    --------
    >>> from initperf.theory import critical
    >>> point = critical("tanh", bias_variance=0.05)
    >>> round(point.weight_variance, 4), round(point.q, 4)
    (1.761, 0.57)
    """
    activation = as_activation(activation)
    if bias_variance is not None:
        bias_variance = float(_domain.variance("bias_variance", bias_variance))
        found = _critical(activation, bias_variance)
        if found is not None:
            return found
    least = _critical(activation, 0.0) or _half_stable(activation)
    if bias_variance is None and least is not None:
        return least
    given = "" if bias_variance is None else f" with bias_variance {bias_variance:g}"
    right = "" if least is None else f"; {least.bias_variance:.6g} would be right"
    raise ValueError(
        f"{activation.name} has no critical weights{given}: nowhere does the second moment come "
        f"to rest while χ₁ = 1{right}"
    )


def critical_line(activation: Activation | str, q: Any) -> tuple[Any, Any]:
    """Return σw² and σb² at which `q` is a fixed point of second moments and χ₁ = 1.

    Parameters
    ----------
    activation : Activation or str
    q : float or array_like
        Second moments at rest, at least 0. The fixed point need not attract: compare
        `MeanField.q_slope` with 1.

    Returns
    -------
    weight_variance, bias_variance : float or numpy.ndarray
        To a relative 1e-12, σb² of q. NaN, both, where σb² would have to be negative.

    Raises
    ------
    ValueError
        For a second moment that is negative or not finite, or an unknown name.

    Examples
    --------
    >>> from initperf.theory import critical_line
    >>> weights, biases = critical_line("tanh", [0.0, 0.57])
    >>> weights.round(3), biases.round(3)
    (array([1.   , 1.761]), array([0.  , 0.05]))
    """
    activation = as_activation(activation)
    q = _domain.second_moment(q)
    weights = _domain.elementwise(lambda x: 1.0 / moments(activation, x).slope_square, q)
    biases = _domain.elementwise(lambda x: _bias_variance(activation, x), q)
    rounding = np.abs(biases) <= _ROUNDING * np.asarray(q)
    biases = np.where(rounding, 0.0, biases)
    absent = biases < 0.0
    line = np.where(absent, np.nan, weights), np.where(absent, np.nan, biases)
    return line if np.ndim(q) else (float(line[0]), float(line[1]))


def _critical(activation: Activation, bias_variance: float) -> Critical | None:
    def excess(q: float) -> float:
        return _bias_variance(activation, q) - bias_variance

    values = _values(excess)
    if np.all(np.abs(values) <= 1e-9 * np.array(_PLACES[: values.size])):
        return _at(activation, 1.0, bias_variance)
    ends = np.flatnonzero(np.sign(values[:-1]) != np.sign(values[1:]))
    found = [
        float(scipy.optimize.brentq(excess, _PLACES[i], _PLACES[i + 1], xtol=1e-14)) for i in ends
    ]
    if bias_variance == 0.0 and moments(activation, 0.0).square == 0.0:
        found.insert(0, 0.0)
    for q in found:
        point = _at(activation, q, bias_variance)
        q_map = MeanField(activation, point.weight_variance, bias_variance).q_map
        above, below = q * (1.0 + _APART) + _APART * (q == 0.0), q * (1.0 - _APART)
        if q_map(above) < above or q_map(below) > below:
            return point
    return None


def _values(excess: Callable[[float], float]) -> np.ndarray:
    """Return a function's values at the first of `_PLACES`, up to where theory can integrate.

    Over a wide distribution a wave, such as sine, is too fine to be integrated.
    """
    found = []
    for q in _PLACES:
        try:
            found.append(excess(q))
        except RoughError:
            break
    return np.array(found)


def _half_stable(activation: Activation) -> Critical | None:
    """Return the critical point of least biases, where the slope of the q map is 1 too."""

    def excess(q: float) -> float:
        found = moments(activation, q)
        return found.growth / found.slope_square - 1.0

    values = _values(excess)
    for i in np.flatnonzero((values[:-1] > 0.0) & (values[1:] <= 0.0)):
        q = float(scipy.optimize.brentq(excess, _PLACES[i], _PLACES[i + 1], xtol=1e-14))
        if _bias_variance(activation, q) > 0.0:
            return _at(activation, q, _bias_variance(activation, q))
    return None


def _at(activation: Activation, q: float, bias_variance: float) -> Critical:
    return Critical(1.0 / moments(activation, q).slope_square, bias_variance, q)


def _bias_variance(activation: Activation, q: float) -> float:
    """Return the bias variance that makes `q` a fixed point of weights with χ₁ = 1."""
    found = moments(activation, q)
    return q - found.square / found.slope_square
