"""Bias, activation, its slope and all activation statistics in one pass over a layer.

The activations themselves come from `initperf.activations`, which adds each to the list here;
each is compiled into a pass of its own when it is first used. Sums are taken about the layer's
first value, so that a variance far smaller than the squared mean keeps its digits.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import types

from initperf.kernels._address import Family, matrix, vector
from initperf.kernels._bits import beyond, diverged, integers_like, magnitude
from initperf.kernels._kernel import Case, Function, jit_sums, like, register, where
from initperf.kernels._load import Load, both

TOTALS = (
    "preactivation_mean",
    "preactivation_variance",
    "activation_mean",
    "activation_variance",
    "activation_zero_fraction",
    "saturated_fraction",
    "dead_fraction",
)

_FUNCTIONS: list[tuple[Callable[[Any], tuple[Any, Any]], float]] = []


def _signature(kind: Any) -> tuple[Any, ...]:
    integers = types.int32 if kind == types.float32 else types.int64
    numbers = vector(types.float64)
    return matrix(kind), vector(kind), matrix(kind), vector(integers), numbers, numbers


ACTIVATE = Family(_signature)
"""The passes of all activations: ``(z, bias, a, seen, totals, verdict)``."""


def add_activation(value_and_slope: Callable[[Any], tuple[Any, Any]], saturation: float) -> int:
    """Add an activation and return the number it is known by.

    Parameters
    ----------
    value_and_slope : callable
        A portable function from x to (value, slope).
    saturation : float
        The magnitude of the slope under which a unit counts as saturated.
    """
    _FUNCTIONS.append((value_and_slope, saturation))
    return len(_FUNCTIONS) - 1


@functools.cache
def activation_pass(code: int, measured: bool) -> Function:
    """Return the jitted pass of an activation, with or without statistics."""
    value_and_slope, saturation = _FUNCTIONS[code]
    return (_measured if measured else _plain)(value_and_slope, saturation)


def _plain(value_and_slope: Callable[[Any], tuple[Any, Any]], saturation: float) -> Function:
    @jit_sums
    def plain_pass(z: Any, bias: Any, a: Any, seen: Any, totals: Any, verdict: Any) -> None:
        highest = magnitude(like(z, 0.0))
        for i in range(z.shape[0]):
            row, values = z[i], a[i]
            for j in range(row.size):
                x = row[j] + bias[j]
                y, slope = value_and_slope(x)
                values[j] = y
                row[j] = slope
                size = where(magnitude(x) > magnitude(y), magnitude(x), magnitude(y))
                highest = where(size > highest, size, highest)
        verdict[0] = 1.0 if beyond(z, highest) else 0.0

    return plain_pass


def _measured(value_and_slope: Callable[[Any], tuple[Any, Any]], saturation: float) -> Function:
    @jit_sums
    def measured_pass(z: Any, bias: Any, a: Any, seen: Any, totals: Any, verdict: Any) -> None:
        zero, one, edge = like(z, 0.0), like(z, 1.0), like(z, saturation)
        nothing = magnitude(zero)
        highest = nothing
        centre = z[0, 0] + bias[0]
        middle = value_and_slope(centre)[0]
        x_sum = x_square = y_sum = y_square = zeros = flat = 0.0
        for j in range(bias.size):
            seen[j] = nothing
        for i in range(z.shape[0]):
            row, values = z[i], a[i]
            t_x = t_xx = t_y = t_yy = t_zeros = t_flat = zero
            for j in range(row.size):
                x = row[j] + bias[j]
                y, slope = value_and_slope(x)
                values[j] = y
                row[j] = slope
                size = magnitude(y)
                seen[j] = where(size > seen[j], size, seen[j])
                size = where(magnitude(x) > size, magnitude(x), size)
                highest = where(size > highest, size, highest)
                x -= centre
                t_zeros += where(y == zero, one, zero)
                y -= middle
                t_x += x
                t_xx += x * x
                t_y += y
                t_yy += y * y
                t_flat += where(abs(slope) < edge, one, zero)
            x_sum += t_x
            x_square += t_xx
            y_sum += t_y
            y_square += t_yy
            zeros += t_zeros
            flat += t_flat
        dead = 0
        for j in range(bias.size):
            dead += seen[j] == nothing
        count = float(z.size)
        totals[0] = centre + x_sum / count
        totals[1] = max(0.0, x_square / count - (x_sum / count) ** 2)
        totals[2] = middle + y_sum / count
        totals[3] = max(0.0, y_square / count - (y_sum / count) ** 2)
        totals[4] = zeros / count
        totals[5] = flat / count
        totals[6] = dead / float(bias.size)
        verdict[0] = 1.0 if beyond(z, highest) else 0.0

    return measured_pass


def activate_reference(
    code: int,
    z: np.ndarray,
    bias: np.ndarray,
    a: np.ndarray,
    seen: np.ndarray,
    totals: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(z + bias)`` to `a`, ``f'(z + bias)`` over `z`, and the layer's statistics.

    Parameters
    ----------
    code : int
        The activation's number.
    z, a : numpy.ndarray
        (batch, units), float32 or float64, C order.
    bias : numpy.ndarray
        (units,).
    seen : numpy.ndarray
        (units,), integers of the width of `bias`: takes the bits of each unit's largest magnitude
        when there are totals; a unit with 0 there is dead.
    totals : numpy.ndarray
        float64, takes what TOTALS names; without an element, nothing is measured.
    verdict : numpy.ndarray
        One float64, 1 when the layer has diverged (see `initperf.kernels._bits.LIMITS`), else 0;
        the statistics mean nothing then.
    """
    function, saturation = _FUNCTIONS[code]
    x = z + bias
    a[:], z[:] = function(x)
    verdict[0] = float(diverged(x, a))
    if totals.size and not verdict[0]:
        wide, values = x.astype(np.float64), a.astype(np.float64)
        totals[0], totals[1] = wide.mean(), wide.var()
        totals[2], totals[3] = values.mean(), values.var()
        totals[4] = np.mean(a == 0)
        totals[5] = np.mean(np.abs(z) < like(z, saturation))
        seen[:] = magnitude(a).max(axis=0)
        totals[6] = np.mean(seen == 0)


def activate(
    code: int,
    z: np.ndarray,
    bias: np.ndarray,
    a: np.ndarray,
    seen: np.ndarray,
    totals: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(z + bias)`` to `a`, ``f'(z + bias)`` over `z`, and the layer's statistics."""
    activation_pass(code, totals.size > 0)(z, bias, a, seen, totals, verdict)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for code in range(len(_FUNCTIONS)):
            for batch, units in ((1, 1), (5, 3), (32, 17)):

                def arguments(
                    dtype: str = dtype, code: int = code, batch: int = batch, units: int = units
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(code)
                    z = (3.0 * rng.standard_normal((batch, units))).astype(dtype)
                    bias = rng.standard_normal(units).astype(dtype)
                    seen = np.zeros(units, integers_like(z.dtype))
                    return code, z, bias, np.zeros_like(z), seen, np.zeros(7), np.zeros(1)

                # the sums of a row in the working precision, one rounding for each unit, and
                # as many again in the function itself
                tolerance = 2 * (units + 8) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{code}-{batch}x{units}"
                yield Case(label, arguments, writes=(1, 3, 4, 5, 6), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Make the layers of a batch, under what is registered second: ReLU."""
    for batch, units in ((128, 512), (1024, 4096)):

        def arguments(dtype: str, batch: int = batch, units: int = units) -> tuple[Any, ...]:
            z = np.random.default_rng(0).standard_normal((batch, units)).astype(dtype)
            seen = np.zeros(units, integers_like(z.dtype))
            return 1, z, np.zeros(units, dtype), np.zeros_like(z), seen, np.zeros(0), np.zeros(1)

        yield Load(f"{batch} x {units}", arguments, both(batch * units), 3 * batch * units)


register("activate", numpy=activate_reference, numba=activate, cases=_cases, loads=_loads)
