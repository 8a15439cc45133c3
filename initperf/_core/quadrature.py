"""Quadrature of the standard normal distribution, whole or truncated."""

import functools
import math

import numpy as np

FARTHEST = 10.0
"""Standard deviations from the peak beyond which the distribution is cut: mass below 1.6e-23."""

_NODES = 400


@functools.cache
def gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights, (count,) float64 each, of the Gauss-Legendre rule on [-1, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


@functools.lru_cache(maxsize=64)
def normal_quadrature(
    low: float = -math.inf, high: float = math.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights whose sums are expectations under the standard normal.

    ``np.sum(weights * f(middle + points))`` is E[f(z)], z ~ N(0, 1) on condition that it falls
    in [low, high]. Gauss and Legendre's rule of 400 nodes on each of two panels, which meet at 0
    where 0 lies between the bounds, so that a kink there, as of ReLU, costs no accuracy. For
    functions that are analytic in each panel the relative error is that of NumPy's nodes and
    weights: below 2e-13 for moments up to the fourth, on the whole line and between any bounds.

    Parameters
    ----------
    low, high : float
        Bounds in standard deviations, low < high; either may be infinite.

    Returns
    -------
    tuple of numpy.ndarray
        (points, weights), each of shape (800,), float64. Points are relative to the middle of
        the bounds, each first cut to at most `FARTHEST` from the peak, so that nothing cancels
        between narrow bounds; on the whole line the middle is 0. They are shared: do not write
        to them.
    """
    peak = min(max(low, 0.0), high)
    first, last = max(low, peak - FARTHEST), min(high, peak + FARTHEST)
    middle = 0.5 * (first + last)
    joint = 0.0 if first < 0.0 < last else middle
    nodes, weights = gauss_legendre(_NODES)
    points, scaled = [], []
    for begin, end in ((first, joint), (joint, last)):
        half = 0.5 * (end - begin)
        points.append(half * nodes + 0.5 * ((begin - middle) + (end - middle)))
        scaled.append(half * weights)
    offsets = np.concatenate(points)
    z = middle + offsets
    density = np.concatenate(scaled) * np.exp(0.5 * (peak - z) * (peak + z))
    whole = low <= -FARTHEST and high >= FARTHEST
    return offsets, density / (math.sqrt(2.0 * math.pi) if whole else density.sum())


def normal_moments(low: float = -math.inf, high: float = math.inf) -> tuple[float, float]:
    """Return mean and standard deviation of the standard normal truncated to [low, high].

    Parameters
    ----------
    low, high : float
        Bounds in standard deviations, low < high; either may be infinite.

    Returns
    -------
    tuple of float
        (mean, standard deviation). The error of the mean is below 2e-13 times the distance of
        the bounds plus one rounding, that of the standard deviation below 2e-13 of itself.
    """
    peak = min(max(low, 0.0), high)
    middle = 0.5 * (max(low, peak - FARTHEST) + min(high, peak + FARTHEST))
    points, weights = normal_quadrature(low, high)
    shift = float(weights @ points)
    return middle + shift, math.sqrt(float(weights @ (points - shift) ** 2))
