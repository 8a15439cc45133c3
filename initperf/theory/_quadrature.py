"""Expectations of an activation under one or two standard normal variables.

Composite Gauss-Legendre quadrature over [−10, 10] standard deviations, beyond which lies less than
2e-23 of the distribution. The panels are the activation's own intervals of smoothness, so that
kinks lie between panels, for any second moment. Expectations are right to a relative 1e-12 (of
E[f²] where terms of both signs cancel), tested against mpmath, for activations that grow no faster
than a polynomial.
"""

import functools
import math

import numpy as np

from initperf._core.quadrature import FARTHEST, gauss_legendre
from initperf.activations import Activation
from initperf.theory._partition import ORDER, partition

_WIDEST = 2.0  # of a panel, in standard deviations: 16 nodes integrate the density to 1e-16
_LEAST = 1e-150  # a standard deviation that stands for the limit at 0, both sides of a kink kept
_FEW = 33  # ends of panels that serve all means, beyond which panels for each are fewer
_AT_ONCE = 2**13  # values, so that the arrays between two operations stay in the cache
_PARALLEL = 1e-9  # below it √(1 − c²) is rounding: the two variables are one


def _reach(root: float, shift: float = 0.0) -> float:
    return 2.0 ** max(0, math.ceil(math.log2(FARTHEST * root + abs(shift))))


def _edges(points: np.ndarray) -> np.ndarray:
    """Return ends of panels: those points that are within reach, and others in wide gaps."""
    inside = points[np.abs(points) < FARTHEST]
    ends = np.unique(np.concatenate([[-FARTHEST], inside, [FARTHEST]]))
    parts = np.maximum(1, np.ceil(np.diff(ends) / _WIDEST)).astype(int)
    # as np.linspace of each gap, the end left out
    steps = np.repeat(np.diff(ends) / parts, parts)
    numbers = np.arange(len(steps)) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.append(numbers * steps + np.repeat(ends[:-1], parts), FARTHEST)


def _rule(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights, the density in them, between ends along the last axis."""
    nodes, weights = gauss_legendre(ORDER)
    left, right = edges[..., :-1, None], edges[..., 1:, None]
    half = 0.5 * (right - left)
    z = 0.5 * (left + right) + half * nodes
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    flat = (*edges.shape[:-1], -1)
    return z.reshape(flat), (half * weights * density).reshape(flat)


@functools.lru_cache(maxsize=1024)
def normal_rule(
    activation: Activation, q: float, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a quadrature for functions of f(√q z + b) and of its slope, z standard normal.

    Parameters
    ----------
    activation : Activation
    q : float
        The variance, at least 0; at 0 the rule is that of the limit from above.
    shift : float
        b.

    Returns
    -------
    nodes, weights : numpy.ndarray
        (count,) float64: Σ weights g(nodes) is E[g(z)].
    root : float
        What nodes are to be multiplied by: √q, or, at 0, a number that keeps their signs.

    Raises
    ------
    ValueError
        When the activation is too rough to be integrated at `q`.
    """
    root = max(math.sqrt(q), _LEAST)
    with np.errstate(over="ignore"):
        points = (partition(activation, _reach(root, shift)).points - shift) / root
    z, weights = _rule(_edges(points))
    z.flags.writeable = weights.flags.writeable = False
    return z, weights, root


def product_means(
    activation: Activation, first: float, second: float, correlation: float
) -> tuple[float, float]:
    """Return E[f(u) f(v)] and E[f'(u) f'(v)] of two normal variables of mean 0.

    With u = √q₁ z₁ and v = √q₂ (c z₁ + √(1 − c²) z₂), the integral over z₂ is split where v passes
    a kink, for every z₁; the result, as a function of z₁, changes over √(1 − c²)/c near a kink, and
    the panels of the outer integral shrink towards it.

    Parameters
    ----------
    activation : Activation
    first, second : float
        The variances q₁ and q₂, at least 0.
    correlation : float
        c, in [−1, 1].

    Raises
    ------
    ValueError
        When the activation is too rough to be integrated.
    """
    z, weights, root = normal_rule(activation, first)
    rest = math.sqrt((1.0 - correlation) * (1.0 + correlation))
    if rest < _PARALLEL:
        return _parallel(activation, first, second, math.copysign(1.0, correlation))
    other = max(math.sqrt(second), _LEAST)
    with np.errstate(over="ignore"):
        inner = partition(activation, _reach(other))
        points, kinks = inner.points / other, inner.kinks / other
        if correlation != 0.0:
            own = partition(activation, _reach(root)).points / root
            z, weights = _rule(_edges(np.concatenate([own, _graded(kinks, correlation, rest)])))
    w, inner_weights = _conditional_rule(points, kinks, correlation * z, rest)
    means, means_of_slope = np.empty((2, len(z)))
    rows = max(1, _AT_ONCE // w.shape[1])
    for begin in range(0, len(z), rows):
        chosen = slice(begin, begin + rows)
        nodes = chosen if len(w) > 1 else slice(None)  # one row of nodes may serve all means
        x = other * (correlation * z[chosen, None] + rest * w[nodes])
        value, slope = activation.value_and_slope(x)
        means[chosen] = np.sum(value * inner_weights[nodes], axis=1)
        means_of_slope[chosen] = np.sum(slope * inner_weights[nodes], axis=1)
    own_value, own_slope = activation.value_and_slope(root * z)
    return (
        float(weights @ (own_value * means)),
        float(weights @ (own_slope * means_of_slope)),
    )


def _conditional_rule(
    points: np.ndarray, kinks: np.ndarray, means: np.ndarray, rest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the integral over z₂ for each conditional mean of v/√q₂.

    Of a smooth activation, panels no wider than its shortest interval serve all means alike, (1,
    count); kinks need panels of their own for each mean, (means, count).
    """
    width = _WIDEST if kinks.size else min(_WIDEST, float(np.diff(points).min()) / rest)
    regular = np.linspace(-FARTHEST, FARTHEST, math.ceil(2.0 * FARTHEST / width) + 1)[None]
    if not kinks.size and regular.size <= _FEW:
        return _rule(regular)
    splits = np.clip((points - means[:, None]) / rest, -FARTHEST, FARTHEST)
    regular = np.arange(-FARTHEST, FARTHEST + _WIDEST, _WIDEST)[None]
    regular = np.broadcast_to(regular, (means.size, regular.size))
    return _rule(np.sort(np.concatenate([splits, regular], axis=1), axis=1))


def _graded(kinks: np.ndarray, correlation: float, rest: float) -> np.ndarray:
    """Return points that close in on where the conditional mean passes a kink."""
    width = rest / abs(correlation)
    levels = max(1, math.ceil(math.log2(FARTHEST / width)) + 1) if width < FARTHEST else 1
    steps = 2.0 * width * 2.0 ** np.arange(levels)
    offsets = np.concatenate([-steps[::-1], [0.0], steps])
    return np.asarray((kinks[:, None] / correlation + offsets).ravel())


def _parallel(
    activation: Activation, first: float, second: float, sign: float
) -> tuple[float, float]:
    """Return the expectations where v is a multiple of u, of the same or the opposite sign."""
    roots = [max(math.sqrt(q), _LEAST) for q in (first, second)]
    with np.errstate(over="ignore"):
        points = [partition(activation, _reach(root)).points / root for root in roots]
    z, weights = _rule(_edges(np.concatenate([points[0], sign * points[1]])))
    value, slope = activation.value_and_slope(roots[0] * z)
    other_value, other_slope = activation.value_and_slope(sign * roots[1] * z)
    return float(weights @ (value * other_value)), float(weights @ (slope * other_slope))
