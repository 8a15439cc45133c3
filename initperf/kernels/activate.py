"""Activation of a layer, its slopes and its statistics, one chunk in the cache after another.

Each activation is compiled into a variant of its own when it is first used. The layer is one flat
array, taken in chunks. Sums over a chunk are in the working precision and of differences from the
layer's first value, so that a variance far smaller than the squared mean keeps its digits.
"""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import types

from initperf.activations import ACTIVATIONS, Activation
from initperf.jit.address import Family, vector
from initperf.jit.magnitudes import beyond, diverged, magnitude, one_more
from initperf.jit.policy import Function, jit_sums, like, portable_sums, where
from initperf.jit.tiles import mark_columns, width
from initperf.jit.tuning import SWEEP_CHUNK as _CHUNK
from initperf.jit.tuning import SWEEP_ROWS as _ROWS
from initperf.jit.vectors import has_512_bits
from initperf.jit.views import as_rows
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both

ACTIVATION_STATISTICS = (
    "preactivation_mean",
    "preactivation_variance",
    "activation_mean",
    "activation_variance",
    "activation_zero_fraction",
    "saturated_fraction",
    "dead_fraction",
)


def _signature(kind: Any) -> tuple[Any, ...]:
    values, numbers = vector(kind), vector(types.float64)
    return values, values, values, numbers, numbers


ACTIVATE = Family(_signature)
"""Variants of all activations, which take the arguments of `activate` after the first."""


@functools.cache
def activation_variant(activation: Activation, measured: bool) -> Function:
    """Return the compiled variant of an activation.

    Parameters
    ----------
    activation : Activation
    measured : bool
        Whether it takes statistics.
    """
    value_and_slope, saturation = activation.value_and_slope, activation.saturation
    zero_where_saturated = activation.zero_where_saturated
    # with 512-bit vectors, long functions and statistics in one loop take 1.5 times as long as in
    # two (measured on Cascade Lake)
    apart = not activation.piecewise_linear and has_512_bits()

    @jit_sums
    def variant(z: Any, a: Any, seen: Any, statistics: Any, verdict: Any) -> None:
        zero, edge = like(z, 0.0), like(z, saturation)
        highest = none = magnitude(zero)
        centre = z[0]
        middle = value_and_slope(centre)[0]
        x_sum = x_square = y_sum = y_square = zeros = flat = 0.0
        for begin in range(0, z.size, _CHUNK):
            x, y = z[begin : begin + _CHUNK], a[begin : begin + _CHUNK]
            # totals of the chunk: differences of x and y from the layer's first values, their
            # squares, and counts of y = 0 and of saturated slopes
            t_x = t_xx = t_y = t_yy = zero
            t_zeros = t_flat = none
            if measured and apart:
                for i in range(x.size):
                    off = x[i] - centre
                    t_x += off
                    t_xx += off * off
            # statistics use execution ports that the function leaves idle
            for i in range(x.size):
                before = x[i]
                size = magnitude(before)
                highest = where(size > highest, size, highest)
                value, slope = value_and_slope(before)
                y[i] = value
                x[i] = slope
                if measured and not apart:
                    off = before - centre
                    t_x += off
                    t_xx += off * off
                    off = value - middle
                    t_y += off
                    t_yy += off * off
                    t_flat = one_more(before, t_flat, abs(slope) < edge)
                    if not zero_where_saturated:
                        t_zeros = one_more(before, t_zeros, value == zero)
            if measured and apart:
                for i in range(x.size):
                    value, slope = y[i], x[i]
                    off = value - middle
                    t_y += off
                    t_yy += off * off
                    t_flat = one_more(value, t_flat, abs(slope) < edge)
                    t_zeros = one_more(value, t_zeros, value == zero)
            if measured:
                x_sum += t_x
                x_square += t_xx
                y_sum += t_y
                y_square += t_yy
                zeros += t_flat if zero_where_saturated else t_zeros
                flat += t_flat
        if measured:
            count = float(z.size)
            statistics[0] = centre + x_sum / count
            statistics[1] = max(0.0, x_square / count - (x_sum / count) ** 2)
            statistics[2] = middle + y_sum / count
            statistics[3] = max(0.0, y_square / count - (y_sum / count) ** 2)
            statistics[4] = zeros / count
            statistics[5] = flat / count
            # with fewer zeros than rows no unit is dead
            statistics[6] = _dead(a, seen) / seen.size if zeros * seen.size >= count else 0.0
        verdict[0] = 1.0 if beyond(z, highest) else 0.0

    return variant


@portable_sums
def _dead(a: Any, seen: Any) -> int:
    """Count the units that are zero for the whole batch; few rows suffice in most layers."""
    units, batch = seen.size, a.size // seen.size
    marks = as_rows(seen, 1, units)
    zero, one = like(seen, 0.0), like(seen, 1.0)
    for j in range(units):
        seen[j] = zero
    alive = begin = 0
    end = min(max(_ROWS, _CHUNK // units), batch)
    while begin < batch and alive < units:
        some = as_rows(a[begin * units :], end - begin, units)
        if units < width(seen):
            for i in range(len(some)):
                for j in range(units):
                    seen[j] = where(some[i, j] != zero, one, seen[j])
        else:
            # the last vector overlaps the one before it
            for j in range(0, units, width(seen)):
                mark_columns(some, marks, 0, min(j, units - width(seen)))
        count = zero
        for j in range(units):
            count += seen[j]
        alive = int(count)
        begin, end = end, batch
    return int(units - alive)


def activate_reference(
    activation: Activation,
    z: np.ndarray,
    a: np.ndarray,
    seen: np.ndarray,
    statistics: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(z)`` to `a`, ``f'(z)`` over `z`, and the layer's statistics.

    Parameters
    ----------
    activation : Activation
        The function f.
    z, a : numpy.ndarray
        (batch x units,), float32 or float64, at least one element; row after row.
    seen : numpy.ndarray
        (units,), of the same dtype. Written when there are statistics and as many zeros as rows:
        0 for a dead unit, which is zero for the whole batch, 1 for any other.
    statistics : numpy.ndarray
        (len(ACTIVATION_STATISTICS),) float64, written; without an element, nothing is measured.
    verdict : numpy.ndarray
        One float64, 1 when `z` has diverged (see `initperf.jit.magnitudes.LIMITS`), else 0; the
        statistics mean nothing then.
    """
    x = z.copy()
    a[:], z[:] = activation.value_and_slope(x)
    verdict[0] = float(diverged(x))
    if statistics.size and not verdict[0]:
        wide, values = x.astype(np.float64), a.astype(np.float64)
        statistics[0], statistics[1] = wide.mean(), wide.var()
        statistics[2], statistics[3] = values.mean(), values.var()
        statistics[4] = np.mean(a == 0)
        statistics[5] = np.mean(np.abs(z) < like(z, activation.saturation))
        statistics[6] = 0.0
        if np.sum(a == 0) * seen.size >= a.size:
            seen[:] = np.any(a.reshape(-1, seen.size) != 0, axis=0)
            statistics[6] = np.mean(seen == 0)


def activate(
    activation: Activation,
    z: np.ndarray,
    a: np.ndarray,
    seen: np.ndarray,
    statistics: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(z)`` to `a`, ``f'(z)`` over `z`, and the layer's statistics; see the reference."""
    activation_variant(activation, statistics.size > 0)(z, a, seen, statistics, verdict)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for activation in ACTIVATIONS.values():
            for batch, units in ((1, 1), (5, 3), (32, 33)):

                def arguments(
                    dtype: str = dtype,
                    activation: Activation = activation,
                    batch: int = batch,
                    units: int = units,
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(1)
                    z = (3.0 * rng.standard_normal((batch, units))).astype(dtype)
                    z[0, 0] = 1.0  # so that outputs have a magnitude of order 1
                    z[:, 1:2] = -np.abs(z[:, 1:2])  # a dead unit of ReLU
                    z[:, 2:3] = 0.0  # a dead unit of every activation with f(0) = 0
                    a, seen = np.zeros(batch * units, dtype), np.zeros(units, dtype)
                    statistics, verdict = np.zeros(len(ACTIVATION_STATISTICS)), np.zeros(1)
                    return activation, z.reshape(-1), a, seen, statistics, verdict

                # a chunk is summed in the working precision, at worst one rounding a term, but
                # in eight or more lanes, and as many roundings as that in the function itself
                terms = min(batch * units, _CHUNK) / 8
                tolerance = 2 * (terms + 16) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{activation.name}-{batch}x{units}"
                yield Case(label, arguments, writes=(1, 2, 3, 4, 5), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Generate layers of a batch, with ReLU."""
    for batch, units in ((128, 512), (1024, 4096)):

        def arguments(dtype: str, batch: int = batch, units: int = units) -> tuple[Any, ...]:
            z = np.random.default_rng(0).standard_normal((batch, units)).astype(dtype)
            a, seen = np.zeros(batch * units, dtype), np.zeros(units, dtype)
            return ACTIVATIONS["relu"], z.reshape(-1), a, seen, np.zeros(0), np.zeros(1)

        yield Load(f"{batch} x {units}", arguments, both(batch * units), 3 * batch * units)


register("activate", numpy=activate_reference, numba=activate, cases=_cases, loads=_loads)
