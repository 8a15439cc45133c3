"""The backward pass of a dense layer: two products through BLAS and the chain rule."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.kernels._kernel import Case, jit_sums, register


def dense_backward_reference(
    x: np.ndarray,
    weights: np.ndarray,
    delta: np.ndarray,
    weight_gradient: np.ndarray,
    bias_gradient: np.ndarray,
    slopes: np.ndarray,
    first: bool,
) -> None:
    """Write a layer's gradients and turn the slopes below it into the delta below it.

    Parameters
    ----------
    x : numpy.ndarray
        (batch, fan_in), the layer's input; overwritten as work space unless `first`.
    weights : numpy.ndarray
        (fan_in, fan_out).
    delta : numpy.ndarray
        (batch, fan_out), the gradient by the layer's pre-activation.
    weight_gradient, bias_gradient : numpy.ndarray
        (fan_in, fan_out) and (fan_out,), written.
    slopes : numpy.ndarray
        (batch, fan_in), the slopes of the layer below; they become ``slopes * (delta @ weights.T)``
        unless `first`.
    first : bool
        Whether this is the first layer, below which nothing is learnt.
    """
    np.matmul(x.T, delta, out=weight_gradient)
    np.sum(delta, axis=0, out=bias_gradient)
    if not first:
        np.matmul(delta, weights.T, out=x)
        slopes *= x


@jit_sums
def dense_backward(
    x: np.ndarray,
    weights: np.ndarray,
    delta: np.ndarray,
    weight_gradient: np.ndarray,
    bias_gradient: np.ndarray,
    slopes: np.ndarray,
    first: bool,
) -> None:
    """Write a layer's gradients and turn the slopes below it into the delta below it."""
    np.dot(x.T, delta, weight_gradient)
    for j in range(bias_gradient.size):
        bias_gradient[j] = delta[0, j]
    for i in range(1, delta.shape[0]):
        for j in range(bias_gradient.size):
            bias_gradient[j] += delta[i, j]
    if not first:
        np.dot(delta, weights.T, x)
        flat_x, flat_slopes = x.reshape(x.size), slopes.reshape(x.size)
        for i in range(flat_x.size):
            flat_slopes[i] *= flat_x[i]


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for batch, fan_in, fan_out in ((1, 1, 1), (5, 7, 3), (32, 20, 17)):
            for first in (False, True):

                def arguments(
                    dtype: str = dtype,
                    shape: tuple[int, int, int] = (batch, fan_in, fan_out),
                    first: bool = first,
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(7)
                    batch, fan_in, fan_out = shape
                    x, slopes = rng.standard_normal((2, batch, fan_in)).astype(dtype)
                    weights = rng.standard_normal((fan_in, fan_out)).astype(dtype)
                    delta = rng.standard_normal((batch, fan_out)).astype(dtype)
                    gradients = np.zeros_like(weights), np.zeros(fan_out, dtype)
                    return x, weights, delta, *gradients, slopes, first

                # products and sums of at most batch or fan_out terms, one rounding each
                tolerance = 2 * (batch + fan_out) * float(np.finfo(dtype).eps)
                writes = (3, 4) if first else (0, 3, 4, 5)
                label = f"{dtype}-{batch}x{fan_in}x{fan_out}{'-first' * first}"
                yield Case(label, arguments, writes=writes, tolerance=tolerance)


register("dense_backward", numpy=dense_backward_reference, numba=dense_backward, cases=_cases)
