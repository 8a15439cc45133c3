"""Fluctuations of signals and gradients in ReLU networks of finite width.

Hanin & Nica, "Products of many large random matrices and gradients in deep neural networks",
2018 (1812.05994), and Hanin & Rolnick, "How to start training", NeurIPS 2018 (1803.01719). With
normal weights of variance 2/fan-in and no biases, the squared norm of a signal divided by the
width, and that of the Jacobian times a fixed vector, are products of independent factors of
mean 1, one a layer: (2/n) Σ b g², of n units, b a fair coin and g standard normal.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from initperf.theory import _domain

_EXACT_UP_TO = 100_000


@dataclass(frozen=True)
class LogNorm:
    """Distribution of ln of the squared norm, relative to its mean, of a network that is not dead.

    Attributes
    ----------
    mean, variance : float
        Exact, given that no layer is dead, to a relative 1e-10.
    leading_mean, leading_variance : float
        Their leading terms for wide layers: −(5/2) Σ 1/n and 5 Σ 1/n.
    """

    mean: float
    variance: float
    leading_mean: float
    leading_variance: float


def relu_log_norm(widths: Any) -> LogNorm:
    """Return mean and variance of ln(‖z_L‖²/n_L) − ln(‖z_0‖²/n_0), or of ln ‖J u‖².

    A layer of n units with k of them active multiplies by (2/n) χ²ₖ, whose log has the mean
    ψ(k/2) + ln(4/n) and the variance ψ'(k/2); k is binomial.

    Parameters
    ----------
    widths : array_like of int
        (layers,): the units of each ReLU layer, 1 to 100,000.

    Returns
    -------
    LogNorm

    Raises
    ------
    ValueError
        For widths that are no such integers.

    Examples
    --------
    >>> from initperf.theory import relu_log_norm
    >>> found = relu_log_norm([100] * 50)
    >>> round(found.leading_mean, 2), round(found.leading_variance, 2)
    (-1.25, 2.5)
    >>> round(found.mean, 3), round(found.variance, 3)
    (-1.271, 2.597)
    """
    layers = _widths(widths, _EXACT_UP_TO).ravel()
    each = np.array([_log_factor(int(n)) for n in layers]).reshape(-1, 2)
    inverse = float(np.sum(1.0 / layers))
    mean, variance = each.sum(axis=0)
    return LogNorm(float(mean), float(variance), -2.5 * inverse, 5.0 * inverse)


def second_moment_ratio(widths: Any, slope: float = 0.0) -> float:
    """Return E[‖z_L‖⁴]/E[‖z_L‖²]², exactly: Π (1 + κ/n), with κ = 5 for ReLU.

    In general κ = 6 (1 + s⁴)/(1 + s²)² − 1, s the slope below 0: 2 for linear layers. The same
    holds of ‖J u‖.

    Parameters
    ----------
    widths : array_like of int
        (layers,): the units of each layer, at least 1.
    slope : float
        s: 0 for ReLU, 0.01 for leaky ReLU, 1 for linear layers.

    Returns
    -------
    float
        To a relative 1e-15 a layer.

    Raises
    ------
    ValueError
        For widths that are no positive integers or a slope that is not finite.

    Examples
    --------
    >>> from initperf.theory import second_moment_ratio
    >>> round(second_moment_ratio([100] * 50), 4)
    11.4674
    """
    s = _domain.within("slope", slope, -math.inf)
    square = s * s
    excess = 6.0 * (1.0 + square * square) / (1.0 + square) ** 2 - 1.0
    return float(np.prod(1.0 + excess / _widths(widths)))


def _widths(widths: Any, most: float = math.inf) -> np.ndarray:
    """Check widths: integers of at least 1; see `initperf.theory._domain.within`."""
    array = np.asarray(_domain.within("widths", widths, 1.0, most))
    if np.any(array != np.floor(array)):
        raise ValueError(f"widths must be whole numbers of units, not {widths!r}")
    return array


@functools.lru_cache(maxsize=256)
def _log_factor(width: int) -> tuple[float, float]:
    """Return mean and variance of ln of a layer's factor, given that one unit is active."""
    active = np.arange(1, width + 1)
    logs = gammaln(width + 1.0) - gammaln(active + 1.0) - gammaln(width - active + 1.0)
    chances = np.exp(logs - width * math.log(2.0))
    chances /= chances.sum()
    logs = digamma(0.5 * active) + math.log(4.0 / width)
    mean = float(chances @ logs)
    return mean, float(chances @ ((logs - mean) ** 2 + polygamma(1, 0.5 * active)))
