"""The update of gradient descent, and the statistics of weights and gradients, in one pass."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.kernels._kernel import Case, jit_sums, register, where

_CHUNK = 1024


def squared_norm_reference(values: np.ndarray) -> float:
    """Return the sum of squares of a 1-D array, in float64."""
    return float(np.sum(values.astype(np.float64) ** 2))


@jit_sums
def squared_norm(values: np.ndarray) -> float:
    """Return the sum of squares of a 1-D array, in float64."""
    total = 0.0
    for begin in range(0, values.size, _CHUNK):
        part = values[begin : begin + _CHUNK]
        partial = part.dtype.type(0.0)
        for i in range(part.size):
            partial += part[i] * part[i]
        total += partial
    return total


def sgd_update_reference(
    weights: np.ndarray, gradient: np.ndarray, rate: float, statistics: np.ndarray
) -> None:
    """Take ``rate * gradient`` off the weights.

    Parameters
    ----------
    weights, gradient : numpy.ndarray
        1-D, float32 or float64; `weights` is updated in place.
    rate : float
        The learning rate, clipping included.
    statistics : numpy.ndarray
        float64, takes (mean, standard deviation, largest magnitude) of the weights before the
        update and (L2 norm, mean magnitude) of the gradient.
    """
    wide, slope = weights.astype(np.float64), np.abs(gradient.astype(np.float64))
    statistics[:] = (
        wide.mean(),
        wide.std(),
        np.abs(wide).max(),
        np.sqrt(np.sum(slope**2)),
        slope.mean(),
    )
    weights -= weights.dtype.type(rate) * gradient


@jit_sums
def sgd_update(
    weights: np.ndarray, gradient: np.ndarray, rate: float, statistics: np.ndarray
) -> None:
    """Take ``rate * gradient`` off the weights; see the reference for the statistics."""
    step = weights.dtype.type(rate)
    centre = weights[0]
    sum_w = square_w = sum_g = square_g = largest = 0.0
    for begin in range(0, weights.size, _CHUNK):
        w, g = weights[begin : begin + _CHUNK], gradient[begin : begin + _CHUNK]
        t_w = t_ww = t_g = t_gg = high = low = weights.dtype.type(0.0)
        for i in range(w.size):
            value, slope = w[i], g[i]
            high = where(value > high, value, high)
            low = where(value < low, value, low)
            off = value - centre
            t_w += off
            t_ww += off * off
            t_g += abs(slope)
            t_gg += slope * slope
            w[i] = value - step * slope
        sum_w += t_w
        square_w += t_ww
        sum_g += t_g
        square_g += t_gg
        largest = max(largest, high, -low)
    count = float(weights.size)
    mean = sum_w / count
    statistics[0] = centre + mean
    statistics[1] = np.sqrt(max(0.0, square_w / count - mean * mean))
    statistics[2] = largest
    statistics[3] = np.sqrt(square_g)
    statistics[4] = sum_g / count


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for size in (1, 3, 1023, 1024, 1025):

            def arguments(dtype: str = dtype, size: int = size) -> tuple[Any, ...]:
                rng = np.random.default_rng(size)
                weights, gradient = rng.standard_normal((2, size)).astype(dtype)
                return weights, gradient, 0.25, np.zeros(5)

            # a chunk is summed in the working precision, at worst one rounding a term, but in
            # eight or more lanes
            tolerance = (min(size, 1024) / 8 + 4) * float(np.finfo(dtype).eps)
            yield Case(f"{dtype}-{size}", arguments, writes=(0, 3), tolerance=tolerance)


register("sgd_update", numpy=sgd_update_reference, numba=sgd_update, cases=_cases)
