"""The backward pass of a dense layer: two products, small or through BLAS, and the chain rule.

A residual block hands the gradient from above down twice: through its layers, and past them,
where it meets what came down through the weights of the first.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.blas import blas, multiply
from initperf.jit.cache_lines import aligned_zeros
from initperf.jit.policy import jit, jit_sums
from initperf.jit.tuning import SMALL_PRODUCT_BYTES as MOST_BYTES
from initperf.jit.tuning import SMALL_PRODUCT_COLUMNS as MOST_COLUMNS
from initperf.jit.views import as_row, as_rows
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.kernels.small_product import is_small, small_product
from initperf.kernels.transpose import transpose


def dense_backward_reference(
    x: np.ndarray,
    weights: np.ndarray,
    delta: np.ndarray,
    weight_gradient: np.ndarray,
    slopes: np.ndarray,
    bias_gradient: np.ndarray,
    above: np.ndarray,
    residual: bool,
    first: bool,
) -> None:
    """Write a layer's gradient, and turn the slopes below it into the delta below it.

    Parameters
    ----------
    x : numpy.ndarray
        (batch, fan_in), the layer's input; unless `first`, overwritten with the gradient by it.
    weights : numpy.ndarray
        (fan_in, fan_out).
    delta : numpy.ndarray
        (batch, fan_out), the gradient by the layer's pre-activation.
    weight_gradient : numpy.ndarray
        (fan_in, fan_out), written.
    slopes : numpy.ndarray
        (batch, fan_in), the slopes of the layer below; unless `first`, they become its delta.
    bias_gradient : numpy.ndarray
        (fan_in,), the gradient of the biases of the layer below, written unless `first`.
    above : numpy.ndarray
        (batch, fan_in), the gradient by the output of the block; read if `residual`.
    residual : bool
        Whether the layer is the first of a residual block.
    first : bool
        Whether this is the first layer, below which nothing is learnt.
    """
    np.matmul(x.T, delta, out=weight_gradient)
    if not first:
        np.matmul(delta, weights.T, out=x)
        if residual:
            x += above
        slopes *= x
        np.sum(slopes, axis=0, out=bias_gradient)


@jit_sums
def _chain(slopes: Any, x: Any, bias_gradient: Any) -> None:
    """Multiply the slopes by the gradient, and sum columns, four rows at a time."""
    batch, units = slopes.shape
    flat, beside = as_row(slopes), as_row(x)
    for i in range(flat.size):
        flat[i] *= beside[i]
    for j in range(units):
        bias_gradient[j] = 0.0
    whole = batch - batch % 4
    for i in range(0, whole, 4):
        for j in range(units):
            bias_gradient[j] += (slopes[i, j] + slopes[i + 1, j]) + (
                slopes[i + 2, j] + slopes[i + 3, j]
            )
    for i in range(whole, batch):
        for j in range(units):
            bias_gradient[j] += slopes[i, j]


def small_space(dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return what small products need: zeros to start from, and room to transpose weights in."""
    zeros = aligned_zeros((1, MOST_COLUMNS), dtype)
    return zeros, aligned_zeros(MOST_BYTES // dtype.itemsize, dtype)


@jit
def backward(
    addresses: Any,
    zeros: Any,
    room: Any,
    x: Any,
    weights: Any,
    delta: Any,
    weight_gradient: Any,
    slopes: Any,
    bias_gradient: Any,
    above: Any,
    residual: bool,
    first: bool,
) -> None:
    """Do what `dense_backward` does, with the addresses of BLAS and a `small_space`."""
    fan_in, fan_out = weights.shape
    if is_small(x.shape[0], weight_gradient):
        small_product(x.T, delta, zeros[:, :fan_out], weight_gradient)
    else:
        multiply(addresses, x.T, delta, weight_gradient, 1.0, 0.0)
    if first:
        return
    if is_small(fan_out, x):
        turned = as_rows(room, fan_out, fan_in)
        transpose(weights, turned)
        small_product(delta, turned, above if residual else zeros[:, :fan_in], x)
    else:
        keep = 0.0
        if residual:
            keep = 1.0
            for i in range(x.shape[0]):
                for j in range(x.shape[1]):
                    x[i, j] = above[i, j]
        multiply(addresses, delta, weights.T, x, 1.0, keep)
    _chain(slopes, x, bias_gradient)


def dense_backward(
    x: np.ndarray,
    weights: np.ndarray,
    delta: np.ndarray,
    weight_gradient: np.ndarray,
    slopes: np.ndarray,
    bias_gradient: np.ndarray,
    above: np.ndarray,
    residual: bool,
    first: bool,
) -> None:
    """Write a layer's gradient, and turn the slopes below it into the delta below it."""
    lower = slopes, bias_gradient, above, residual, first
    backward(blas(x.dtype), *small_space(x.dtype), x, weights, delta, weight_gradient, *lower)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for batch, fan_in, fan_out in ((1, 1, 1), (5, 7, 3), (32, 20, 20), (16, 16, 16)):
            kinds = ((False, False), (True, False), *[(False, True)] * (fan_in == fan_out))
            for first, residual in kinds:

                def arguments(
                    dtype: str = dtype,
                    shape: tuple[int, int, int] = (batch, fan_in, fan_out),
                    first: bool = first,
                    residual: bool = residual,
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(7)
                    batch, fan_in, fan_out = shape
                    x, slopes = rng.standard_normal((2, batch, fan_in)).astype(dtype)
                    weights = rng.standard_normal((fan_in, fan_out)).astype(dtype)
                    delta, above = rng.standard_normal((2, batch, fan_out)).astype(dtype)
                    made = np.zeros_like(weights), slopes, np.zeros(fan_in, dtype)
                    return x, weights, delta, *made, above, residual, first

                # products and sums of at most batch or fan_out terms, one rounding each
                tolerance = 2 * (batch + fan_out) * float(np.finfo(dtype).eps)
                writes = (3,) if first else (0, 3, 4, 5)
                kind = "-first" * first + "-residual" * residual
                label = f"{dtype}-{batch}x{fan_in}x{fan_out}{kind}"
                yield Case(label, arguments, writes=writes, tolerance=tolerance)


def _loads() -> Iterator[Load]:
    for batch, fan_in, fan_out in ((128, 784, 512), (1024, 1024, 1024)):

        def arguments(
            dtype: str, shape: tuple[int, int, int] = (batch, fan_in, fan_out)
        ) -> tuple[Any, ...]:
            batch, fan_in, fan_out = shape
            x, slopes = np.zeros((2, batch, fan_in), dtype)
            weights = np.zeros((fan_in, fan_out), dtype)
            delta, above = np.zeros((2, batch, fan_out), dtype)
            made = np.zeros_like(weights), slopes, np.zeros(fan_in, dtype)
            return x, weights, delta, *made, above, False, False

        # x and the slopes are read and written, the weights read, their gradient written
        moved = 4 * batch * fan_in + batch * fan_out + 2 * fan_in * fan_out
        operations = both((4 * fan_out + 2) * batch * fan_in)
        yield Load(f"{batch} x {fan_in} x {fan_out}", arguments, operations, moved)


register(
    "dense_backward",
    numpy=dense_backward_reference,
    numba=dense_backward,
    cases=_cases,
    loads=_loads,
)
