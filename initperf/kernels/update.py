"""The update of an optimizer, and the statistics of weights and gradients, in one pass."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import types

from initperf.jit.address import Family, vector
from initperf.jit.magnitudes import (
    LIMITS,
    beyond,
    diverged,
    from_magnitude,
    limit_squared,
    magnitude,
)
from initperf.jit.policy import Function, jit_sums, like, where
from initperf.jit.tuning import SWEEP_CHUNK as _CHUNK
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.optimizers import OPTIMIZERS, Optimizer, Rule

UPDATES = (
    "weight_mean",
    "weight_std",
    "weight_max",
    "gradient_norm",
    "gradient_mean_abs",
    "update_ratio",
)


def _signature(kind: Any) -> tuple[Any, ...]:
    values, numbers = vector(kind), vector(types.float64)
    return (*[values] * 5, types.float64, types.int64, numbers, numbers, numbers)


UPDATE = Family(_signature)
"""The passes of all optimizers: what `update` takes after the optimizer."""


def update_pass(optimizer: Optimizer, measured: bool) -> Function:
    """Return the jitted pass of an optimizer, with or without statistics."""
    return _pass_of(optimizer.rule, optimizer.memories, measured)


@functools.cache
def _pass_of(rule: Rule, memories: int, measured: bool) -> Function:
    @jit_sums
    def one_pass(
        weights: Any,
        gradient: Any,
        first: Any,
        second: Any,
        factors: Any,
        scale: float,
        count: int,
        peak: Any,
        totals: Any,
        verdict: Any,
    ) -> None:
        zero, clip = like(weights, 0.0), weights.dtype.type(scale)
        centre = weights[0]
        highest = magnitude(zero)
        squares = sum_w = square_w = sum_g = square_g = square_u = 0.0
        before_peak = peak[0]
        half = factors.size // 2
        begin = 0
        while begin < weights.size:
            inside = begin < count
            end = min(begin + _CHUNK, count if inside else weights.size)
            w, g = weights[begin:end], gradient[begin:end]
            told = factors[:half] if inside else factors[half:]
            m, v = first[begin:end], second[begin:end]
            t_w = t_ww = t_g = t_gg = t_uu = zero
            for i in range(w.size):
                before, slope = w[i], g[i]
                one = m[i] if memories > 0 else zero
                two = v[i] if memories > 1 else zero
                value, one, two = rule(before, clip * slope, one, two, told)
                w[i] = value
                if memories > 0:
                    m[i] = one
                if memories > 1:
                    v[i] = two
                size = magnitude(value)
                highest = where(size > highest, size, highest)
                t_gg += slope * slope
                if measured:
                    moved, off = value - before, before - centre
                    t_w += off
                    t_ww += off * off
                    t_g += abs(slope)
                    t_uu += moved * moved
            squares += t_gg
            if measured and inside:
                sum_w += t_w
                square_w += t_ww
                sum_g += t_g
                square_g += t_gg
                square_u += t_uu
            if end == count:
                peak[0] = from_magnitude(weights, highest)
            begin = end
        if measured:
            mean = centre + sum_w / count
            variance = max(0.0, square_w / count - (sum_w / count) ** 2)
            length = np.sqrt(count * (mean * mean + variance))
            totals[0] = mean
            totals[1] = np.sqrt(variance)
            totals[2] = before_peak
            totals[3] = np.sqrt(square_g)
            totals[4] = sum_g / count
            totals[5] = np.sqrt(square_u) / length if length > 0.0 else 0.0
        bounded = squares < limit_squared(weights) and not beyond(weights, highest)
        verdict[0] = 0.0 if bounded else 1.0

    return one_pass


def update_reference(
    optimizer: Optimizer,
    weights: np.ndarray,
    gradient: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    factors: np.ndarray,
    scale: float,
    count: int,
    peak: np.ndarray,
    totals: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Update weights by an optimizer's rule.

    Parameters
    ----------
    optimizer : Optimizer
    weights, gradient : numpy.ndarray
        1-D, float32 or float64; `weights` is updated in place. Behind the weights lie the biases.
    first, second : numpy.ndarray
        What the optimizer remembers of each weight, updated in place; without an element if it
        does not.
    factors : numpy.ndarray
        The optimizer's factors in this step, of the dtype of the weights: those for the weights,
        then as many for the biases.
    scale : float
        Multiplies the gradient: what clipping leaves of it.
    count : int
        How many of them are weights, at least 1; statistics leave the biases out.
    peak : numpy.ndarray
        One float64, the largest magnitude of a weight; updated, for it is where the next step
        begins.
    totals : numpy.ndarray
        float64, takes what UPDATES names: of the weights before the update, of the gradient
        before clipping and decay, and the length of the update by that of the weights. Without
        an element, nothing is measured.
    verdict : numpy.ndarray
        One float64, 1 when the gradient's norm or what is updated has diverged (see
        `initperf.jit.magnitudes.LIMITS`), else 0; the statistics mean nothing then.
    """
    zero = like(weights, 0.0)
    before = weights.copy()
    new, one, two = optimizer.rule(
        before,
        weights.dtype.type(scale) * gradient,
        first if optimizer.memories > 0 else zero,
        second if optimizer.memories > 1 else zero,
        np.where(np.arange(weights.size) < count, *factors.reshape(2, -1, 1)),
    )
    weights[:] = new
    if optimizer.memories > 0:
        first[:] = one
    if optimizer.memories > 1:
        second[:] = two
    slope = gradient.astype(np.float64)
    with np.errstate(over="ignore"):
        norm = np.sqrt(np.sum(slope**2))
    verdict[0] = float(diverged(weights) or not norm < LIMITS[weights.dtype.name])
    if totals.size and not verdict[0]:
        wide, slope = before[:count].astype(np.float64), np.abs(slope[:count])
        length = np.sqrt(np.sum(wide**2))
        moved = np.sqrt(np.sum((new - before)[:count].astype(np.float64) ** 2))
        totals[:] = (
            wide.mean(),
            wide.std(),
            peak[0],
            np.sqrt(np.sum(slope**2)),
            slope.mean(),
            moved / length if length > 0.0 else 0.0,
        )
    peak[0] = np.abs(weights[:count]).max()


def update(
    optimizer: Optimizer,
    weights: np.ndarray,
    gradient: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    factors: np.ndarray,
    scale: float,
    count: int,
    peak: np.ndarray,
    totals: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Update weights by an optimizer's rule; see the reference."""
    chosen = update_pass(optimizer, totals.size > 0)
    chosen(weights, gradient, first, second, factors, scale, count, peak, totals, verdict)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for optimizer in OPTIMIZERS.values():
            for size in (1, 3, 1023, 2051):

                def arguments(
                    dtype: str = dtype, optimizer: Optimizer = optimizer, size: int = size
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(size)
                    weights, gradient = rng.standard_normal((2, size)).astype(dtype)
                    memories = np.zeros((2, size), dtype)
                    memories[: optimizer.memories] = rng.random((optimizer.memories, size))
                    first, second = memories
                    decaying = optimizer.replace(weight_decay=0.01)
                    factors = decaying.factors(np.array([0.25, 0.5]), 3).astype(dtype)
                    count = max(1, size - 2)
                    peak = np.abs(weights[:count]).max(keepdims=True).astype(np.float64)
                    made = (
                        factors.reshape(-1),
                        0.5,
                        count,
                        peak,
                        np.zeros(len(UPDATES)),
                        np.zeros(1),
                    )
                    return optimizer, weights, gradient, first, second, *made

                # A chunk is summed in the working precision, at worst one rounding a term, but
                # in eight or more lanes. An update of a hundredth of a weight keeps two digits
                # less of its own than of the weight: a hundred roundings.
                tolerance = (min(size, _CHUNK) / 8 + 100) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{optimizer.name}-{size}"
                yield Case(label, arguments, writes=(1, 3, 4, 8, 9, 10), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Make the weights of a layer and of a network, under plain gradient descent."""
    for rows, columns in ((784, 512), (4096, 4096)):
        size = rows * columns

        def arguments(dtype: str, size: int = size) -> tuple[Any, ...]:
            rule, none = OPTIMIZERS["sgd"], np.zeros(0, dtype)
            factors = rule.factors(np.full(2, 1e-3), 0).astype(dtype)
            weights, gradient = np.ones((2, size), dtype)
            made = factors.reshape(-1), 1.0, size, np.ones(1), np.zeros(0), np.zeros(1)
            return rule, weights, gradient, none, none, *made

        # the gradient scaled, the weight decayed, the step: a product each and a sum
        yield Load(f"{rows} x {columns}", arguments, both(5 * size), 3 * size)


register("update", numpy=update_reference, numba=update, cases=_cases, loads=_loads)
