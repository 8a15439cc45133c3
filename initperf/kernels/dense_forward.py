"""The forward pass of a dense layer: the product, small or through BLAS, then one pass."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.activations import ACTIVATIONS, Activation
from initperf.jit.blas import blas, multiply
from initperf.jit.policy import jit, portable
from initperf.jit.views import as_rows
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.kernels.activate import (
    ACTIVATE,
    TOTALS,
    activate_reference,
    activation_pass,
)
from initperf.kernels.small_product import is_small, small_product

_activate = ACTIVATE.call


def dense_forward_reference(
    activation: Activation,
    x: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    slopes: np.ndarray,
    a: np.ndarray,
    totals: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(x @ weights + bias)`` to `a` and the slopes f' there to `slopes`.

    Parameters
    ----------
    activation : Activation
        The function f.
    x : numpy.ndarray
        (batch, fan_in), C order.
    weights, bias : numpy.ndarray
        (fan_in, fan_out), C order, and (fan_out,).
    slopes, a : numpy.ndarray
        (batch, fan_out), C order.
    totals, verdict : numpy.ndarray
        See `initperf.kernels.activate`.
    """
    np.matmul(x, weights, out=slopes)
    slopes += bias
    activate_reference(
        activation, slopes.reshape(-1), a.reshape(-1), np.empty_like(bias), totals, verdict
    )


@portable
def _spread(bias: Any, rows: Any) -> None:
    """Write the bias to all rows, which lie one after the other: each turn copies all before."""
    for j in range(bias.size):
        rows[j] = bias[j]
    done = bias.size
    while done < rows.size:
        source, target = rows[:done], rows[done : 2 * done]
        for i in range(target.size):
            target[i] = source[i]
        done += target.size


@jit
def forward(
    addresses: Any,
    activation: Any,
    x: Any,
    weights: Any,
    bias: Any,
    slopes: Any,
    flat_slopes: Any,
    flat_a: Any,
    seen: Any,
    totals: Any,
    verdict: Any,
) -> None:
    """Do what `dense_forward` does, with the addresses of BLAS and of the activation's pass."""
    if is_small(weights.shape[0], slopes):
        small_product(x, weights, as_rows(bias, 1, bias.size), slopes)
    else:
        _spread(bias, flat_slopes)
        multiply(addresses, x, weights, slopes, 1.0, 1.0)
    _activate(activation, flat_slopes, flat_a, seen, totals, verdict)


def dense_forward(
    activation: Activation,
    x: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    slopes: np.ndarray,
    a: np.ndarray,
    totals: np.ndarray,
    verdict: np.ndarray,
) -> None:
    """Write ``f(x @ weights + bias)`` to `a` and the slopes f' there to `slopes`."""
    address = ACTIVATE.address(activation_pass(activation, totals.size > 0), x.dtype)
    flat = slopes.reshape(-1), a.reshape(-1), np.empty_like(bias)
    forward(blas(x.dtype), address, x, weights, bias, slopes, *flat, totals, verdict)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for name in ("linear", "relu"):  # the passes themselves are compared apart
            for batch, fan_in, fan_out in ((1, 1, 1), (5, 7, 3), (32, 20, 17), (16, 9, 16)):

                def arguments(
                    dtype: str = dtype,
                    name: str = name,
                    shape: tuple[int, int, int] = (batch, fan_in, fan_out),
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(1)
                    batch, fan_in, fan_out = shape
                    x = rng.standard_normal((batch, fan_in)).astype(dtype)
                    weights = rng.standard_normal((fan_in, fan_out)).astype(dtype)
                    bias = rng.standard_normal(fan_out).astype(dtype)
                    slopes = np.zeros((batch, fan_out), dtype)
                    made = slopes, slopes.copy(), np.zeros(len(TOTALS)), np.zeros(1)
                    return ACTIVATIONS[name], x, weights, bias, *made

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
            slopes, a = np.zeros((2, batch, fan_out), dtype)
            made = slopes, a, np.zeros(0), np.zeros(1)
            return ACTIVATIONS["relu"], x, weights, np.zeros(fan_out, dtype), *made

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
