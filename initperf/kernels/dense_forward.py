"""Forward pass of a dense layer: a matrix product, then the activation."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import types

from initperf.activations import ACTIVATIONS, Activation
from initperf.jit.address import ADDRESSES, Family, matrix, vector
from initperf.jit.blas import blas, multiply
from initperf.jit.policy import jit, portable
from initperf.jit.views import as_row, as_rows
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.kernels.activate import (
    ACTIVATE,
    ACTIVATION_STATISTICS,
    activate_reference,
    activation_variant,
)
from initperf.kernels.small_product import is_small, small_product

_activate = ACTIVATE.call


def dense_forward_reference(
    activation: Activation,
    x: np.ndarray,
    weights: np.ndarray,
    biases: np.ndarray,
    slopes: np.ndarray,
    outputs: np.ndarray,
    statistics: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(x @ weights + biases)`` and the slopes f' there.

    Parameters
    ----------
    activation : Activation
        The function f.
    x : numpy.ndarray
        (batch, fan_in), float32 or float64, as all but `statistics` and `verdict`; C order.
    weights, biases : numpy.ndarray
        (fan_in, fan_out), C order, and (fan_out,).
    slopes, outputs : numpy.ndarray
        (batch, fan_out), C order, written.
    statistics, verdict : numpy.ndarray
        See `initperf.kernels.activate.activate_reference`.
    """
    np.matmul(x, weights, out=slopes)
    slopes += biases
    flat_slopes, flat_outputs, seen = slopes.reshape(-1), outputs.reshape(-1), np.empty_like(biases)
    activate_reference(activation, flat_slopes, flat_outputs, seen, statistics, verdict)


@portable
def _spread(biases: Any, rows: Any) -> None:
    """Write the biases to all rows of a flat array, copying twice as many at each turn."""
    for j in range(biases.size):
        rows[j] = biases[j]
    done = biases.size
    while done < rows.size:
        source, target = rows[:done], rows[done : 2 * done]
        for i in range(target.size):
            target[i] = source[i]
        done += target.size


class ForwardArrays(NamedTuple):
    """Arrays of the compiled forward pass of a layer.

    Attributes
    ----------
    x, weights, biases, slopes, outputs : numpy.ndarray
        See `dense_forward_reference`.
    seen : numpy.ndarray
        (fan_out,), see `initperf.kernels.activate.activate_reference`.
    """

    x: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    slopes: np.ndarray
    outputs: np.ndarray
    seen: np.ndarray


def _signature(kind: Any) -> tuple[Any, ...]:
    rows, values, numbers = matrix(kind), vector(kind), vector(types.float64)
    fields = ForwardArrays(
        x=rows, weights=rows, biases=values, slopes=rows, outputs=rows, seen=values
    )
    arrays = types.BaseTuple.from_types(fields, ForwardArrays)
    return arrays, ADDRESSES, types.int64, numbers, numbers


FORWARD = Family(_signature)
"""The function `forward`, which the training loop and evaluations share."""


@jit
def forward(
    arrays: ForwardArrays, addresses: Any, activation: Any, statistics: Any, verdict: Any
) -> None:
    """Do what `dense_forward` does.

    Parameters
    ----------
    arrays : ForwardArrays
    addresses : tuple of int
        See `initperf.jit.blas.blas`.
    activation : int
        Address of the activation's variant.
    statistics, verdict : numpy.ndarray
        See `initperf.kernels.activate.activate_reference`.
    """
    x, weights, biases, slopes = arrays.x, arrays.weights, arrays.biases, arrays.slopes
    if is_small(weights.shape[0], slopes):
        small_product(x, weights, as_rows(biases, 1, biases.size), slopes)
    else:
        _spread(biases, as_row(slopes))
        multiply(addresses, x, weights, slopes, 1.0, 1.0)
    outputs = as_row(arrays.outputs)
    _activate(activation, as_row(slopes), outputs, arrays.seen, statistics, verdict)


def dense_forward(
    activation: Activation,
    x: np.ndarray,
    weights: np.ndarray,
    biases: np.ndarray,
    slopes: np.ndarray,
    outputs: np.ndarray,
    statistics: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(x @ weights + biases)`` and the slopes f' there; see the reference."""
    address = ACTIVATE.address(activation_variant(activation, statistics.size > 0), x.dtype)
    arrays = ForwardArrays(x, weights, biases, slopes, outputs, np.empty_like(biases))
    forward(arrays, blas(x.dtype), address, statistics, verdict)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for name in ("linear", "relu"):  # `activate` compares the variants of all activations
            for batch, fan_in, fan_out in (
                (1, 1, 1),
                (5, 1, 3),
                (5, 7, 1),
                (5, 7, 3),
                (32, 20, 17),
                (16, 9, 16),
            ):

                def arguments(
                    dtype: str = dtype,
                    name: str = name,
                    shape: tuple[int, int, int] = (batch, fan_in, fan_out),
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(1)
                    batch, fan_in, fan_out = shape
                    x = rng.standard_normal((batch, fan_in)).astype(dtype)
                    weights = rng.standard_normal((fan_in, fan_out)).astype(dtype)
                    biases = rng.standard_normal(fan_out).astype(dtype)
                    slopes, outputs = np.zeros((2, batch, fan_out), dtype)
                    statistics, verdict = np.zeros(len(ACTIVATION_STATISTICS)), np.zeros(1)
                    f = ACTIVATIONS[name]
                    return f, x, weights, biases, slopes, outputs, statistics, verdict

                # a product of fan_in terms and the sums of a row, one rounding each
                tolerance = 2 * (fan_in + fan_out + 8) * float(np.finfo(dtype).eps)
                label = f"{dtype}-{name}-{batch}x{fan_in}x{fan_out}"
                yield Case(label, arguments, writes=(4, 5, 6, 7), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    for batch, fan_in, fan_out in ((128, 784, 512), (1024, 1024, 1024)):

        def arguments(
            dtype: str, shape: tuple[int, int, int] = (batch, fan_in, fan_out)
        ) -> tuple[Any, ...]:
            batch, fan_in, fan_out = shape
            x, weights = np.ones((batch, fan_in), dtype), np.ones((fan_in, fan_out), dtype)
            biases, (slopes, outputs) = (
                np.zeros(fan_out, dtype),
                np.zeros((2, batch, fan_out), dtype),
            )
            relu = ACTIVATIONS["relu"]
            return relu, x, weights, biases, slopes, outputs, np.zeros(0), np.zeros(1)

        moved = batch * fan_in + fan_in * fan_out + 2 * batch * fan_out
        operations = both((2 * fan_in + 1) * batch * fan_out)
        yield Load(f"{batch} x {fan_in} x {fan_out}", arguments, operations, moved)


register(
    "dense_forward",
    numpy=dense_forward_reference,
    numba=dense_forward,
    cases=_cases,
    loads=_loads,
)
