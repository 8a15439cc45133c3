"""Bias, activation, its slope and all activation statistics in one pass over a layer.

The activations themselves come from `initperf.activations`, which adds each to the list here;
compiled code holds one loop for each of them and chooses by number. Sums are taken about the
layer's first value, so that a variance far smaller than the squared mean keeps its digits.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from initperf.kernels._kernel import (
    Case,
    Function,
    jit_sums,
    like,
    portable_sums,
    register,
    select_by_code,
    where,
)

TOTALS = (
    "preactivation_mean",
    "preactivation_variance",
    "activation_mean",
    "activation_variance",
    "activation_zero_fraction",
    "saturated_fraction",
)

_FUNCTIONS: list[tuple[Callable[[Any], tuple[Any, Any]], float]] = []
_PASSES: list[Function] = []


def add_activation(value_and_slope: Callable[[Any], tuple[Any, Any]], saturation: float) -> int:
    """Add an activation and return the number it is known by.

    Parameters
    ----------
    value_and_slope : callable
        A portable function from x to (value, slope).
    saturation : float
        The magnitude of the slope under which a unit counts as saturated.
    """

    @portable_sums
    def one_pass(z: Any, bias: Any, a: Any, largest: Any, totals: Any) -> None:
        zero, one, edge = like(z, 0.0), like(z, 1.0), like(z, saturation)
        centre = z[0, 0] + bias[0]
        middle = value_and_slope(centre)[0]
        x_sum = x_square = y_sum = y_square = zeros = flat = 0.0
        largest[:] = zero
        for i in range(z.shape[0]):
            row, values = z[i], a[i]
            t_x = t_xx = t_y = t_yy = t_zeros = t_flat = zero
            for j in range(row.size):
                x = row[j] + bias[j]
                y, slope = value_and_slope(x)
                values[j] = y
                row[j] = slope
                size = abs(y)
                largest[j] = where(size > largest[j], size, largest[j])
                x -= centre
                y -= middle
                t_x += x
                t_xx += x * x
                t_y += y
                t_yy += y * y
                t_zeros += where(size == zero, one, zero)
                t_flat += where(abs(slope) < edge, one, zero)
            x_sum += t_x
            x_square += t_xx
            y_sum += t_y
            y_square += t_yy
            zeros += t_zeros
            flat += t_flat
        count = float(z.size)
        totals[0] = centre + x_sum / count
        totals[1] = max(0.0, x_square / count - (x_sum / count) ** 2)
        totals[2] = middle + y_sum / count
        totals[3] = max(0.0, y_square / count - (y_sum / count) ** 2)
        totals[4] = zeros / count
        totals[5] = flat / count

    _FUNCTIONS.append((value_and_slope, saturation))
    _PASSES.append(one_pass)
    return len(_PASSES) - 1


_pass = select_by_code(_PASSES)


def activate_reference(
    code: int, z: np.ndarray, bias: np.ndarray, a: np.ndarray, largest: np.ndarray, totals: Any
) -> None:
    """Write ``f(z + bias)`` to `a`, ``f'(z + bias)`` over `z`, and the layer's statistics.

    Parameters
    ----------
    code : int
        The activation's number.
    z, a : numpy.ndarray
        (batch, units), float32 or float64.
    bias, largest : numpy.ndarray
        (units,); `largest` takes each unit's largest magnitude over the batch: a unit with 0
        there is dead.
    totals : numpy.ndarray
        float64, takes what TOTALS names.
    """
    function, saturation = _FUNCTIONS[code]
    x = z + bias
    a[:], z[:] = function(x)
    largest[:] = np.abs(a).max(axis=0)
    wide, values = x.astype(np.float64), a.astype(np.float64)
    totals[0], totals[1] = wide.mean(), wide.var()
    totals[2], totals[3] = values.mean(), values.var()
    totals[4] = np.mean(a == 0)
    totals[5] = np.mean(np.abs(z) < like(z, saturation))


@jit_sums
def activate(
    code: int, z: np.ndarray, bias: np.ndarray, a: np.ndarray, largest: np.ndarray, totals: Any
) -> None:
    """Write ``f(z + bias)`` to `a`, ``f'(z + bias)`` over `z`, and the layer's statistics."""
    _pass(code, z, bias, a, largest, totals)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for code in range(len(_PASSES)):
            for batch, units in ((1, 1), (5, 3), (32, 17)):

                def arguments(
                    dtype: str = dtype, code: int = code, batch: int = batch, units: int = units
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(code)
                    z = (3.0 * rng.standard_normal((batch, units))).astype(dtype)
                    bias = rng.standard_normal(units).astype(dtype)
                    return code, z, bias, np.zeros_like(z), np.zeros_like(bias), np.zeros(6)

                # the sums of a row in the working precision, one rounding for each unit, and
                # as many again in the function itself
                tolerance = 2 * (units + 8) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{code}-{batch}x{units}"
                yield Case(label, arguments, writes=(1, 3, 4, 5), tolerance=tolerance)


register("activate", numpy=activate_reference, numba=activate, cases=_cases)
