"""Backward pass of a dense layer: two matrix products and the chain rule.

The gradient by the output of a residual block reaches the block's input on two ways, through the
block's layers and past them; the first layer of the block adds the two.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import types

from initperf.jit.address import ADDRESSES, Family, matrix, vector
from initperf.jit.blas import blas, multiply
from initperf.jit.cache_lines import aligned_zeros
from initperf.jit.policy import jit, jit_sums
from initperf.jit.tuning import SMALL_PRODUCT_BYTES, SMALL_PRODUCT_COLUMNS
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
) -> None:
    """Write the gradient of a layer's weights, and the delta and bias gradient of the layer below.

    The delta of a layer is the gradient of the loss by its pre-activations.

    Parameters
    ----------
    x : numpy.ndarray
        (batch, fan_in), float32 or float64, as all others; the layer's input. Overwritten with the
        gradient by it, unless the layer is the first.
    weights : numpy.ndarray
        (fan_in, fan_out).
    delta : numpy.ndarray
        (batch, fan_out), the layer's.
    weight_gradient : numpy.ndarray
        (fan_in, fan_out), written.
    slopes : numpy.ndarray
        (batch, fan_in), the slopes of the layer below, overwritten with its delta. Without a row
        for the first layer of a network, below which nothing is learnt.
    bias_gradient : numpy.ndarray
        (fan_in,), written: the gradient of the biases of the layer below; left alone for the first
        layer, where it may have any length.
    above : numpy.ndarray
        For the first layer of a residual block, (batch, fan_in), the gradient by the output of the
        block, which also passes by the block's layers; without a row for any other layer.
    """
    np.matmul(x.T, delta, out=weight_gradient)
    if len(slopes):
        np.matmul(delta, weights.T, out=x)
        if len(above):
            x += above
        slopes *= x
        np.sum(slopes, axis=0, out=bias_gradient)


@jit_sums
def _chain(slopes: Any, x: Any, bias_gradient: Any) -> None:
    """Multiply the slopes by the gradient; sum the columns four rows at a time, to load less."""
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


class SmallSpace(NamedTuple):
    """Scratch space of small products, of a size that suffices wherever `is_small` says yes.

    Attributes
    ----------
    zeros : numpy.ndarray
        (1, SMALL_PRODUCT_COLUMNS), always 0: what a product of at most so many columns is added to.
    transposed : numpy.ndarray
        (SMALL_PRODUCT_BYTES / itemsize,), overwritten at its beginning with a layer's transposed
        weights, the right factor of a small product, which has at most so many bytes.
    """

    zeros: np.ndarray
    transposed: np.ndarray

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> "SmallSpace":
        """Return the space for a dtype."""
        zeros = aligned_zeros((1, SMALL_PRODUCT_COLUMNS), dtype)
        return cls(zeros, aligned_zeros(SMALL_PRODUCT_BYTES // dtype.itemsize, dtype))


class BackwardArrays(NamedTuple):
    """Arrays of the compiled backward pass of a layer; see `dense_backward_reference`."""

    x: np.ndarray
    weights: np.ndarray
    delta: np.ndarray
    weight_gradient: np.ndarray
    slopes: np.ndarray
    bias_gradient: np.ndarray
    above: np.ndarray


def _signature(kind: Any) -> tuple[Any, ...]:
    rows, values = matrix(kind), vector(kind)
    fields = BackwardArrays(
        x=rows,
        weights=rows,
        delta=rows,
        weight_gradient=rows,
        slopes=rows,
        bias_gradient=values,
        above=rows,
    )
    small = types.BaseTuple.from_types(SmallSpace(zeros=rows, transposed=values), SmallSpace)
    return types.BaseTuple.from_types(fields, BackwardArrays), ADDRESSES, small


BACKWARD = Family(_signature)
"""The function `backward`, which the training loop calls."""


@jit
def backward(arrays: BackwardArrays, addresses: Any, small: SmallSpace) -> None:
    """Do what `dense_backward` does.

    Parameters
    ----------
    arrays : BackwardArrays
    addresses : tuple of int
        See `initperf.jit.blas.blas`.
    small : SmallSpace
    """
    x, weights, delta, above = arrays.x, arrays.weights, arrays.delta, arrays.above
    weight_gradient = arrays.weight_gradient
    fan_in, fan_out = weights.shape
    if is_small(x.shape[0], weight_gradient):
        small_product(x.T, delta, small.zeros[:, :fan_out], weight_gradient)
    else:
        multiply(addresses, x.T, delta, weight_gradient, 1.0, 0.0)
    if len(arrays.slopes) == 0:
        return
    residual = len(above) > 0
    if is_small(fan_out, x):
        turned = as_rows(small.transposed, fan_out, fan_in)
        transpose(weights, turned)
        small_product(delta, turned, above if residual else small.zeros[:, :fan_in], x)
    else:
        keep = 0.0
        if residual:
            keep = 1.0
            for i in range(x.shape[0]):
                for j in range(x.shape[1]):
                    x[i, j] = above[i, j]
        multiply(addresses, delta, weights.T, x, 1.0, keep)
    _chain(arrays.slopes, x, arrays.bias_gradient)


def dense_backward(
    x: np.ndarray,
    weights: np.ndarray,
    delta: np.ndarray,
    weight_gradient: np.ndarray,
    slopes: np.ndarray,
    bias_gradient: np.ndarray,
    above: np.ndarray,
) -> None:
    """Write a layer's weight gradient, and the delta of the layer below; see the reference."""
    arrays = BackwardArrays(x, weights, delta, weight_gradient, slopes, bias_gradient, above)
    backward(arrays, blas(x.dtype), SmallSpace.of(x.dtype))


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for batch, fan_in, fan_out in (
            (1, 1, 1),
            (5, 1, 3),
            (5, 7, 1),
            (5, 7, 3),
            (32, 20, 20),
            (16, 16, 16),
        ):
            kinds = [(False, False), (True, False)] + [(False, True)] * (fan_in == fan_out)
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
                    slopes = slopes[:0] if first else slopes
                    above = above if residual else above[:0]
                    weight_gradient = np.zeros_like(weights)
                    bias_gradient = np.zeros(fan_in, dtype)
                    return x, weights, delta, weight_gradient, slopes, bias_gradient, above

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
            delta, bias_gradient = np.zeros((batch, fan_out), dtype), np.zeros(fan_in, dtype)
            weight_gradient, above = np.zeros_like(weights), np.zeros((0, fan_in), dtype)
            return x, weights, delta, weight_gradient, slopes, bias_gradient, above

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
