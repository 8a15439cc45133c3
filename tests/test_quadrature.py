"""Quadrature of the standard normal distribution, against closed forms and forty digits."""

import math

import mpmath
import numpy as np
import pytest

from initperf._core.quadrature import FARTHEST, normal_moments, normal_quadrature

# 2e-13 is the accuracy that the module states: that of NumPy's 400 nodes and weights.
STATED = 2e-13


@pytest.mark.parametrize(("power", "moment"), [(0, 1.0), (1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)])
def test_moments_of_the_whole_line(power, moment):
    z, weights = normal_quadrature()
    assert weights @ z**power == pytest.approx(moment, rel=STATED, abs=STATED)


def test_a_kink_at_0_costs_no_accuracy():
    z, weights = normal_quadrature()
    assert weights @ np.maximum(z, 0.0) == pytest.approx(1 / math.sqrt(2 * math.pi), rel=STATED)
    assert weights @ (z > 0.0) == pytest.approx(0.5, rel=STATED)


def exact(low, high):
    with mpmath.workdps(40):
        first, last = max(mpmath.mpf(low), -40), min(mpmath.mpf(high), max(40, low + 20))
        peak = min(max(mpmath.mpf(0), first), last)
        joints = [first, *([mpmath.mpf(0)] if first < 0 < last else []), first + (last - first) / 4]
        mass, mean, square = (
            mpmath.quad(
                lambda z, k=k: (z - peak) ** k * mpmath.exp((peak - z) * (peak + z) / 2),
                [*sorted(set(joints)), last],
            )
            for k in range(3)
        )
        return float(peak + mean / mass), float(mpmath.sqrt(square / mass - (mean / mass) ** 2))


BOUNDS = [
    (-2.0, 2.0),
    (-0.1, 3.0),
    (0.0, math.inf),
    (5.0, 6.0),
    (-9.0, -8.0),
    (10.0, math.inf),
    (-math.inf, -3.0),
    (1.0, 1.0 + 1e-6),
    (0.0, 1e-9),
]


@pytest.mark.parametrize(("low", "high"), BOUNDS)
def test_moments_between_bounds(low, high):
    mean, std = normal_moments(low, high)
    expected_mean, expected_std = exact(low, high)
    distance = min(high, FARTHEST + max(low, 0.0)) - max(low, -FARTHEST + min(high, 0.0))
    rounding = np.finfo(float).eps * abs(expected_mean)
    assert abs(mean - expected_mean) <= STATED * distance + rounding
    assert std == pytest.approx(expected_std, rel=STATED)
