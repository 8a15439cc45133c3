"""Update of a layer by an optimizer's rule, and the statistics of weights and gradients."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

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

UPDATE_STATISTICS = (
    "weight_mean",
    "weight_std",
    "weight_max",
    "gradient_norm",
    "gradient_mean_abs",
    "update_ratio",
)


class UpdateArrays(NamedTuple):
    """What one update of a layer reads and writes.

    Attributes
    ----------
    parameters : numpy.ndarray
        (count,), float32 or float64, updated: weights, then biases.
    gradient : numpy.ndarray
        (count,), of the same dtype, by the parameters, before clipping.
    first, second : numpy.ndarray
        (count,), of the same dtype, updated: what the rule remembers of each parameter; without
        an element where it does not.
    factors : numpy.ndarray
        (2 k,), of the same dtype: the k factors of the rule for the weights, then for the biases.
    scale : float
        What clipping multiplies the gradient by.
    weights : int
        How many of the parameters are weights, at least 1; statistics leave the biases out.
    peak : numpy.ndarray
        (1,) float64, the largest magnitude of a weight before the update; overwritten with that
        after it.
    statistics : numpy.ndarray
        (len(UPDATE_STATISTICS),) float64, written: of the weights before the update, the gradient
        before clipping and weight decay, and the L2 norm of the update divided by that of the
        weights. Without an element, nothing is measured.
    verdict : numpy.ndarray
        (1,) float64, written: 1 when the norm of the gradient or an updated parameter reaches
        `initperf.jit.magnitudes.LIMITS`, else 0; the statistics mean nothing then.
    """

    parameters: np.ndarray
    gradient: np.ndarray
    first: np.ndarray
    second: np.ndarray
    factors: np.ndarray
    scale: float
    weights: int
    peak: np.ndarray
    statistics: np.ndarray
    verdict: np.ndarray


def _signature(kind: Any) -> tuple[Any, ...]:
    values, numbers = vector(kind), vector(types.float64)
    fields = UpdateArrays(
        parameters=values,
        gradient=values,
        first=values,
        second=values,
        factors=values,
        scale=types.float64,
        weights=types.int64,
        peak=numbers,
        statistics=numbers,
        verdict=numbers,
    )
    return (types.BaseTuple.from_types(fields, UpdateArrays),)


UPDATE = Family(_signature)
"""Variants of all rules, each of which takes `UpdateArrays`."""


@functools.cache
def update_variant(rule: Rule, memories: int, measured: bool) -> Function:
    """Return the compiled variant of a rule.

    Parameters
    ----------
    rule : callable
        See `initperf.optimizers.Optimizer`.
    memories : int
        How many values the rule remembers of each parameter, at most 2.
    measured : bool
        Whether it takes statistics.
    """

    @jit_sums
    def variant(arrays: Any) -> None:
        parameters, gradient, count = arrays.parameters, arrays.gradient, arrays.weights
        first, second, factors = arrays.first, arrays.second, arrays.factors
        statistics = arrays.statistics
        zero, clip = like(parameters, 0.0), parameters.dtype.type(arrays.scale)
        centre = parameters[0]
        highest = magnitude(zero)
        squares = sum_w = square_w = sum_g = square_g = square_u = 0.0
        before_peak = arrays.peak[0]
        half = factors.size // 2
        begin = 0
        while begin < parameters.size:
            inside = begin < count
            end = min(begin + _CHUNK, count if inside else parameters.size)
            w, g = parameters[begin:end], gradient[begin:end]
            own = factors[:half] if inside else factors[half:]  # those of weights, or of biases
            m, v = first[begin:end], second[begin:end]
            # totals of the chunk: weights less the layer's first and their squares, magnitudes and
            # squares of gradients, squares of updates
            t_w = t_ww = t_g = t_gg = t_uu = zero
            for i in range(w.size):
                before, slope = w[i], g[i]
                one = m[i] if memories > 0 else zero
                two = v[i] if memories > 1 else zero
                value, one, two = rule(before, clip * slope, one, two, own)
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
                arrays.peak[0] = from_magnitude(parameters, highest)
            begin = end
        if measured:
            mean = centre + sum_w / count
            variance = max(0.0, square_w / count - (sum_w / count) ** 2)
            length = np.sqrt(count * (mean * mean + variance))
            statistics[0] = mean
            statistics[1] = np.sqrt(variance)
            statistics[2] = before_peak
            statistics[3] = np.sqrt(square_g)
            statistics[4] = sum_g / count
            statistics[5] = np.sqrt(square_u) / length if length > 0.0 else 0.0
        bounded = squares < limit_squared(parameters) and not beyond(parameters, highest)
        arrays.verdict[0] = 0.0 if bounded else 1.0

    return variant


def update_reference(rule: Rule, arrays: UpdateArrays) -> None:
    """Update a layer's parameters by an optimizer's rule.

    Parameters
    ----------
    rule : callable
        See `initperf.optimizers.Optimizer`.
    arrays : UpdateArrays
    """
    parameters, count, dtype = arrays.parameters, arrays.weights, arrays.parameters.dtype
    zero, before = like(parameters, 0.0), parameters.copy()
    of_weights, of_biases = arrays.factors.reshape(2, -1, 1)
    parameters[:], first, second = rule(
        before,
        dtype.type(arrays.scale) * arrays.gradient,
        arrays.first if arrays.first.size else zero,
        arrays.second if arrays.second.size else zero,
        np.where(np.arange(parameters.size) < count, of_weights, of_biases),
    )
    if arrays.first.size:
        arrays.first[:] = first
    if arrays.second.size:
        arrays.second[:] = second
    slope = arrays.gradient.astype(np.float64)
    with np.errstate(over="ignore"):
        norm = np.sqrt(np.sum(slope**2))
    arrays.verdict[0] = float(diverged(parameters) or not norm < LIMITS[dtype.name])
    if arrays.statistics.size and not arrays.verdict[0]:
        wide, slope = before[:count].astype(np.float64), slope[:count]
        length = np.sqrt(np.sum(wide**2))
        moved = np.sqrt(np.sum((parameters - before)[:count].astype(np.float64) ** 2))
        arrays.statistics[:] = (
            wide.mean(),
            wide.std(),
            arrays.peak[0],
            np.sqrt(np.sum(slope**2)),
            np.abs(slope).mean(),
            moved / length if length > 0.0 else 0.0,
        )
    arrays.peak[0] = np.abs(parameters[:count]).max()


def update(rule: Rule, arrays: UpdateArrays) -> None:
    """Update a layer's parameters by an optimizer's rule; see the reference."""
    memories = (arrays.first.size > 0) + (arrays.second.size > 0)
    update_variant(rule, memories, arrays.statistics.size > 0)(arrays)


_WRITTEN = tuple(
    (1, field) for field in ("parameters", "first", "second", "peak", "statistics", "verdict")
)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for optimizer in OPTIMIZERS.values():
            for size in (1, 3, 1023, 2051):

                def arguments(
                    dtype: str = dtype, optimizer: Optimizer = optimizer, size: int = size
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(size)
                    parameters, gradient = rng.standard_normal((2, size)).astype(dtype)
                    first, second = (
                        rng.random(size if kept < optimizer.memories else 0).astype(dtype)
                        for kept in range(2)
                    )
                    decaying = optimizer.replace(weight_decay=0.01)
                    factors = decaying.factors(np.array([0.25, 0.5]), 3)
                    weights = max(1, size - 2)
                    arrays = UpdateArrays(
                        parameters=parameters,
                        gradient=gradient,
                        first=first,
                        second=second,
                        factors=factors.reshape(-1).astype(dtype),
                        scale=0.5,
                        weights=weights,
                        peak=np.abs(parameters[:weights]).max(keepdims=True).astype(np.float64),
                        statistics=np.zeros(len(UPDATE_STATISTICS)),
                        verdict=np.zeros(1),
                    )
                    return optimizer.rule, arrays

                # A chunk is summed in the working precision, at worst one rounding a term, but
                # in eight or more lanes. An update of a hundredth of a weight keeps two digits
                # less of its own than of the weight: a hundred roundings.
                tolerance = (min(size, _CHUNK) / 8 + 100) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{optimizer.name}-{size}"
                yield Case(label, arguments, writes=_WRITTEN, tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Give the weights of a layer and of a network, under plain gradient descent."""
    for rows, columns in ((784, 512), (4096, 4096)):
        size = rows * columns

        def arguments(dtype: str, size: int = size) -> tuple[Any, ...]:
            sgd, none = OPTIMIZERS["sgd"], np.zeros(0, dtype)
            factors = sgd.factors(np.full(2, 1e-3), 0)
            parameters, gradient = np.ones((2, size), dtype)
            arrays = UpdateArrays(
                parameters=parameters,
                gradient=gradient,
                first=none,
                second=none,
                factors=factors.reshape(-1).astype(dtype),
                scale=1.0,
                weights=size,
                peak=np.ones(1),
                statistics=np.zeros(0),
                verdict=np.zeros(1),
            )
            return sgd.rule, arrays

        # the gradient scaled, the weight decayed, the step: a product each and a sum
        yield Load(f"{rows} x {columns}", arguments, both(5 * size), 3 * size)


register("update", numpy=update_reference, numba=update, cases=_cases, loads=_loads)
