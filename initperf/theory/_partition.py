"""Intervals on which an activation is smooth: its kinks, and how finely it must be sampled.

The intervals are found by bisection, as Chebfun does (Pachón, Platte & Trefethen, "Piecewise-smooth
chebfuns", IMA Journal of Numerical Analysis 30, 2010): one is kept when the polynomial through
`ORDER` Gauss-Legendre nodes is the function and its slope to `_TOLERANCE`. What stays unresolved
down to `_SHORTEST` is a kink of f or of one of its derivatives.
"""

import functools
from dataclasses import dataclass

import numpy as np

from initperf._core.quadrature import gauss_legendre
from initperf.activations import Activation

ORDER = 16
_TOLERANCE = 1e-12  # of the largest value; rounding of the activations is about 1e-15
_SHORTEST = 1e-9
_MOST = 4096  # intervals at once: more are noise, or finer than any quadrature can follow
_SMALL_JUMP = 1e-6  # of the slope over 1e-9: a smooth slope does not change so fast
_PLACES = 8  # decimals: a kink within rounding of such a number is taken to be there


class RoughError(ValueError):
    """An activation is too rough, or too fine a wave, to be integrated over a distribution."""


@dataclass(frozen=True)
class Partition:
    """Where an activation is smooth.

    Attributes
    ----------
    points : numpy.ndarray
        (intervals + 1,) float64, ascending: between two of them f and f' are polynomials of degree
        `ORDER` − 1 to 1e-12.
    kinks : numpy.ndarray
        (kinks,) float64, ascending: those of the points where f or a derivative jumps.
    """

    points: np.ndarray
    kinks: np.ndarray


@functools.cache
def _interpolation() -> tuple[np.ndarray, np.ndarray]:
    """Return points of [−1, 1] and the matrix from values at the nodes to values there."""
    nodes = gauss_legendre(ORDER)[0]
    points = np.cos(np.pi * np.arange(ORDER + 1) / ORDER)
    gaps = nodes[:, None] - nodes
    np.fill_diagonal(gaps, 1.0)
    barycentric = 1.0 / gaps.prod(axis=1)
    terms = barycentric / (points[:, None] - nodes)
    return points, terms / terms.sum(axis=1, keepdims=True)


@functools.lru_cache(maxsize=512)
def partition(activation: Activation, reach: float) -> Partition:
    """Return the partition of an activation over [−reach, reach] and a little more.

    Parameters
    ----------
    activation : Activation
    reach : float
        Positive; powers of 2 are worth it, because results are kept.

    Raises
    ------
    RoughError
        When the activation is too rough there.
    """
    # no simple number is a dyadic fraction of these ends, so that no kink hides between intervals
    left, right = np.array([-1.0371 * reach]), np.array([1.0193 * reach])
    scales = [np.abs(values).max() for values in _values(activation, np.linspace(-1.0, 1.0, 65))]
    ends, brackets = [left, right], []
    while left.size:
        good = _resolved(activation, left, right, scales)
        left, right = left[~good], right[~good]
        short = right - left < _SHORTEST * np.maximum(1.0, np.abs(left))
        brackets += list(zip(left[short], right[short], strict=True))
        left, right = left[~short], right[~short]
        middle = 0.5 * (left + right)
        ends.append(middle)
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        if left.size + len(brackets) > _MOST:
            raise RoughError(
                f"{activation.name} is not smooth enough over [-{reach:g}, {reach:g}] to be "
                f"integrated: more than {_MOST} intervals do not resolve it"
            )
    kinks = np.array([_kink(activation, a, b) for a, b in _joined(sorted(brackets))])
    points = np.unique(np.concatenate([*ends, kinks]))
    if kinks.size:  # intervals that bisection left around a kink have no use
        distance = np.abs(points[:, None] - kinks).min(axis=1)
        points = points[(distance == 0.0) | (distance > 1e-3)]
    return Partition(points, kinks)


def _values(activation: Activation, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value, slope = activation.value_and_slope(x)
    return np.asarray(value), np.asarray(slope)


def _resolved(
    activation: Activation, left: np.ndarray, right: np.ndarray, scales: list[np.floating]
) -> np.ndarray:
    """Return of which intervals the polynomials are the activation and its slope."""
    points, matrix = _interpolation()
    half, centre = 0.5 * (right - left)[:, None], 0.5 * (left + right)[:, None]
    sampled = _values(activation, centre + half * gauss_legendre(ORDER)[0])
    found = _values(activation, centre + half * points)
    good = np.ones(left.size, dtype=bool)
    for at_nodes, at_points, scale in zip(sampled, found, scales, strict=True):
        allowed = _TOLERANCE * np.maximum(np.abs(at_points).max(axis=1), scale)
        good &= np.abs(at_nodes @ matrix.T - at_points).max(axis=1) <= allowed
    return good


def _joined(brackets: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for a, b in brackets:
        if joined and a <= joined[-1][1]:
            joined[-1] = joined[-1][0], b
        else:
            joined.append((a, b))
    return joined


def _kink(activation: Activation, a: float, b: float) -> float:
    """Return the kink between two points, to rounding where the value or the slope jumps."""
    least = 4.0 * np.finfo(np.float64).eps * max(1.0, abs(a))
    while b - a > least:
        x = np.array([a, 0.5 * (a + b), b])
        jumps = np.add(*(np.abs(np.diff(values)) for values in _values(activation, x)))
        if jumps.max() < _SMALL_JUMP:
            break
        a, b = (a, float(x[1])) if jumps[0] > jumps[1] else (float(x[1]), b)
    nearest = round(0.5 * (a + b), _PLACES)
    return nearest + 0.0 if a - least <= nearest <= b + least else 0.5 * (a + b)  # no −0
