"""SELU's attracting fixed point (Klambauer, Unterthiner, Mayr & Hochreiter 2017, 1706.02515)."""

import itertools
import math

import numpy as np

from initperf._core.quadrature import FARTHEST, normal_quadrature
from initperf.activations import ACTIVATIONS
from initperf.claims._claim import Claim, register

_CITE = "Klambauer et al. 2017 (1706.02515), "
_STEP = 1e-4
_POINTS = 9


def _moments(mean: float, variance: float) -> tuple[float, float]:
    """Return mean and variance of selu(z), z normal; the kink at 0 parts the domain."""
    selu, std = ACTIVATIONS["selu"], math.sqrt(variance)
    kink = -mean / std
    totals = np.zeros(2)
    for low, high in ((-math.inf, kink), (kink, math.inf)):
        offsets, weights = normal_quadrature(low, high)
        # points are relative to the middle of the bounds, cut as `normal_quadrature` says
        points = offsets + _middle(low, high)
        share = 0.5 * (math.erf(high / math.sqrt(2.0)) - math.erf(low / math.sqrt(2.0)))
        values = selu.value(mean + std * points)
        totals += share * np.array([weights @ values, weights @ values**2])
    return float(totals[0]), float(totals[1] - totals[0] ** 2)


def _middle(low: float, high: float) -> float:
    peak = min(max(low, 0.0), high)
    return 0.5 * (max(low, peak - FARTHEST) + min(high, peak + FARTHEST))


def _slope(index: int) -> float:
    above, below = _moments(0.0, 1.0 + _STEP), _moments(0.0, 1.0 - _STEP)
    return (above[index] - below[index]) / (2.0 * _STEP)


def _mean_slope(seed: int, quick: bool) -> float:
    return _slope(0)


def _variance_slope(seed: int, quick: bool) -> float:
    return _slope(1)


def _inside(seed: int, quick: bool) -> float:
    """Return the share of a grid over the domain, corners included, that is mapped into it."""
    axes = [(-0.1, 0.1), (-0.1, 0.1), (0.8, 1.5), (0.95, 1.1)]
    grid = itertools.product(*(np.linspace(low, high, _POINTS) for low, high in axes))
    inside = 0
    for mean, sum_of_weights, variance, sum_of_squares in grid:
        new_mean, new_variance = _moments(mean * sum_of_weights, variance * sum_of_squares)
        inside += abs(new_mean) <= 0.1 and 0.8 <= new_variance <= 1.5
    return float(inside / _POINTS ** len(axes))


register(
    Claim(
        name="selu_mean_slope",
        statement="At SELU's fixed point the mean's derivative by the variance is 0.088834.",
        cite=_CITE + "section 2, Jacobian at (0, 1)",
        setting="quadrature over a normal pre-activation, kink apart; weights sum to 0, their "
        "squares to 1.",
        quantity="∂ mean / ∂ variance",
        number=0.088834,
        low=0.0888335,
        high=0.0888345,
        tolerance="half a unit of the last printed digit.",
        measure=_mean_slope,
        exact=True,
        source_read="compared with the text",
        remark="The paper's digits are cut, not rounded: the number is 0.0888348. Nothing that "
        "follows from it changes.",
    )
)
register(
    Claim(
        name="selu_variance_slope",
        statement="At SELU's fixed point the variance's derivative by itself is 0.782648, below 1: "
        "the point attracts.",
        cite=_CITE + "section 2, Jacobian at (0, 1)",
        setting="as selu_mean_slope.",
        quantity="∂ variance / ∂ variance",
        number=0.782648,
        low=0.7826475,
        high=0.7826485,
        tolerance="half a unit of the last printed digit.",
        measure=_variance_slope,
        exact=True,
        source_read="compared with the text",
    )
)
register(
    Claim(
        name="selu_domain",
        statement="SELU maps means in ±0.1 and variances in [0.8, 1.5] into themselves, for "
        "weights whose sum is in ±0.1 and whose squares sum to 0.95 to 1.1.",
        cite=_CITE + "theorem 1",
        setting="9⁴ points of the domain, its corners included.",
        quantity="share of points mapped into the domain",
        number=1.0,
        low=1.0,
        high=1.0,
        tolerance="none: one point outside refutes it.",
        measure=_inside,
        exact=True,
        source_read="compared with the text",
    )
)
