"""Probability that a ReLU network is dead before training begins.

Lu, Shin, Su & Karniadakis, "Dying ReLU and initialization: theory and numerical examples",
2019 (1903.06733): weights of any symmetric distribution with a density, biases 0.
"""

from typing import Any

import numpy as np

from initperf.theory import _domain


def silent_probability(widths: Any) -> float:
    """Return the chance that one input's signal dies, exactly: 1 − Π (1 − 2⁻ⁿ).

    In each layer all n units are inactive with the chance 2⁻ⁿ, independent of the other layers.
    It is the paper's upper bound of the chance that a whole network is born dead.

    Parameters
    ----------
    widths : array_like of int
        (layers,): the units of each ReLU layer, at least 1.

    Returns
    -------
    float
        To a relative 1e-14, however small.

    Raises
    ------
    ValueError
        For widths that are no positive integers.

    Examples
    --------
    >>> from initperf.theory import silent_probability
    >>> round(silent_probability([2] * 9), 4)
    0.9249
    """
    n = _whole("widths", widths, 1.0)
    return float(-np.expm1(np.sum(np.log1p(-np.exp2(-n)))))


def born_dead_bounds(width: Any, depth: Any) -> tuple[Any, Any]:
    """Return bounds of the chance that a network of one input feature is constant from the start.

    The upper bound holds for any number of features, where the lower one does not.

    Parameters
    ----------
    width : int or array_like
        N, the units of each hidden layer, at least 1.
    depth : int or array_like
        L, the layers with weights, at least 2: L − 1 of them have ReLU.

    Returns
    -------
    lower, upper : float or numpy.ndarray
        To 1e-15, absolute.

    Raises
    ------
    ValueError
        For a width or a depth that is no such integer.

    Examples
    --------
    >>> from initperf.theory import born_dead_bounds
    >>> lower, upper = born_dead_bounds(width=2, depth=10)
    >>> round(lower, 3), round(upper, 3)
    (0.87, 0.925)
    """
    n, layers = _whole("width", width, 1.0), _whole("depth", depth, 2.0)
    half = np.exp2(-n)
    one, two = 1.0 - half, 1.0 - 2.0 * half - (n - 1.0) * half * half
    share = (1.0 - 2.0 * half) * (1.0 - half) / (1.0 + (n - 1.0) * half)
    lower = 1.0 - one ** (layers - 2.0) + share * (two ** (layers - 2.0) - one ** (layers - 2.0))
    upper = 1.0 - one ** (layers - 1.0)
    if np.ndim(lower):
        return lower, np.broadcast_to(upper, np.shape(lower)).copy()
    return float(lower), float(upper)


def _whole(name: str, value: Any, least: float) -> Any:
    numbers = np.asarray(_domain.within(name, value, least))
    if np.any(numbers != np.floor(numbers)):
        raise ValueError(f"{name} must be whole numbers, not {value!r}")
    return numbers
