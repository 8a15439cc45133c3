"""Phase diagram of wide random networks: ordered phase, critical weights, trainable depths.

Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, "Deep information propagation", ICLR 2017
(1611.01232): correlations of inputs are forgotten over ξ_c layers, and networks train up to a depth
of about 6ξ_c. For given σb², weights below a critical σw² are ordered and those above chaotic.
"""

import functools
import math
from typing import Any

import numpy as np

from initperf.activations import Activation
from initperf.theory import _domain, _maps
from initperf.theory._moments import as_activation

TRAINABLE = 6.0
"""Depth to which networks train, in ξ_c: the paper's rule of thumb, no limit."""

_TOLERANCE = 1e-6
_ROUNDING = 1e-12  # relative error of the moments
_LARGEST_VARIANCE = 1e6
_PLACES = [float(q) for q in np.geomspace(1.0, _maps.LARGEST, 25)]


def critical_weight_variance(activation: Activation | str, bias_variance: float = 0.0) -> float:
    """Return the σw² at which the ordered phase ends, for given σb².

    Below it, the second moment of pre-activations comes to rest where χ₁ < 1; above, χ₁ > 1 there,
    or the second moment grows without bound, as with ReLU. It is that of `critical` where the
    critical point attracts. Where it does not, as with GELU and few biases, gradients vanish below
    and explode above without a σw² at which they keep their size.

    Parameters
    ----------
    activation : Activation or str
    bias_variance : float
        σb², at least 0.

    Returns
    -------
    float
        To a relative 1e-6.

    Raises
    ------
    ValueError
        For a variance that is negative or not finite, an unknown name, or a phase without end.

    Examples
    --------
    >>> from initperf.theory import critical_weight_variance
    >>> [round(critical_weight_variance(name, 0.05), 3) for name in ("tanh", "relu")]
    [1.761, 2.0]
    """
    bias_variance = float(_domain.variance("bias_variance", bias_variance))
    return _boundary(as_activation(activation), bias_variance)


def trainable_depth(
    activation: Activation | str, weight_variance: Any, bias_variance: Any = 0.0
) -> Any:
    """Return the depth to which networks are expected to train, 6 ξ.

    ξ is the depth scale ξ_c of correlations, see `MeanField.depth_scales`. Where the second moment
    grows without bound there is no q*, and ξ is the number of layers in which gradients grow by e,
    1/log χ₁ of large second moments.

    Parameters
    ----------
    activation : Activation or str
    weight_variance, bias_variance : float or array_like
        σw² and σb², at least 0.

    Returns
    -------
    float or numpy.ndarray
        Layers; infinite on the critical line.

    Raises
    ------
    ValueError
        For a variance that is negative or not finite, or an unknown name.

    Examples
    --------
    >>> from initperf.theory import trainable_depth
    >>> trainable_depth("tanh", [1.0, 2.5], 0.05).round(1)
    array([21.8, 70.8])
    """
    return _domain.elementwise(
        functools.partial(_depth, as_activation(activation)),
        _domain.variance("weight_variance", weight_variance),
        _domain.variance("bias_variance", bias_variance),
    )


def _depth(activation: Activation, weight: float, bias: float) -> float:
    if _grows(activation, weight, bias):
        rate = math.log(_maps.chi(activation, weight, bias, _maps.LARGEST))
        return TRAINABLE / rate if rate > _ROUNDING else math.inf
    q = _maps.fixed_point(activation, weight, bias, 1.0)
    return TRAINABLE * _maps.correlation_scale(activation, weight, bias, q)


def _grows(activation: Activation, weight: float, bias: float) -> bool:
    """Return whether the second moment grows without bound from 1, on a coarse grid of moments."""
    return all(_maps.q_map(activation, weight, bias, q) > q for q in _PLACES)


def _is_ordered(activation: Activation, weight: float, bias: float) -> bool:
    if _grows(activation, weight, bias):
        return False
    q = _maps.fixed_point(activation, weight, bias, 1.0)
    return _maps.chi(activation, weight, bias, q) < 1.0


@functools.cache
def _boundary(activation: Activation, bias: float) -> float:
    """Return the end of the ordered phase, by bisection on the logarithm."""
    low, high = 1e-3, 1.0
    while _is_ordered(activation, high, bias):
        low, high = high, 2.0 * high
        if high > _LARGEST_VARIANCE:
            raise ValueError(
                f"with {activation.name} and bias_variance {bias:g} all weights are ordered"
            )
    while high > low * (1.0 + _TOLERANCE):
        middle = math.sqrt(low * high)
        if _is_ordered(activation, middle, bias):
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)
