"""Mean of a loss of values over a batch and its outputs, and its gradient, in one pass.

Each loss is compiled into a variant of its own when it is first used.
"""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.policy import Function, jit
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.losses import LOSSES, Loss, PointwiseLoss


@functools.cache
def pointwise_variant(loss: PointwiseLoss) -> Function:
    """Return the compiled function of a loss of values."""
    value_and_slope = loss.value_and_slope

    @jit
    def one(outputs: Any, targets: Any, delta: Any, bias_gradient: Any, scores: Any) -> None:
        batch, count = outputs.shape
        share = outputs.dtype.type(1.0) / outputs.dtype.type(batch * count)
        total = squares = 0.0
        for j in range(count):
            bias_gradient[j] = 0.0
        for i in range(batch):
            row, wanted, gradient = outputs[i], targets[i], delta[i]
            for j in range(count):
                value, slope = value_and_slope(row[j], wanted[j])
                total += np.float64(value)
                error = np.float64(row[j]) - np.float64(wanted[j])
                squares += error * error
                gradient[j] = slope * share
                bias_gradient[j] += gradient[j]
        scores[0] = total / (batch * count)
        scores[1] = squares

    return one


def pointwise_loss_reference(
    loss: PointwiseLoss,
    outputs: np.ndarray,
    targets: np.ndarray,
    delta: np.ndarray,
    bias_gradient: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Write the loss, the sum of squared errors and the gradient by the outputs.

    Parameters
    ----------
    loss : PointwiseLoss
    outputs, targets : numpy.ndarray
        (batch, outputs), float32 or float64, C order.
    delta : numpy.ndarray
        (batch, outputs), written: the slope of the loss of each output, divided by their number.
    bias_gradient : numpy.ndarray
        (outputs,), written: the sums of the columns of `delta`.
    scores : numpy.ndarray
        (2,) float64, written: the mean loss, and the sum of the squared errors.
    """
    values, slopes = loss.value_and_slope(outputs, targets)
    delta[:] = slopes / outputs.size
    np.sum(delta, axis=0, out=bias_gradient)
    errors = outputs.astype(np.float64) - targets
    scores[:] = values.mean(dtype=np.float64), np.sum(errors**2)


def pointwise_loss(
    loss: PointwiseLoss,
    outputs: np.ndarray,
    targets: np.ndarray,
    delta: np.ndarray,
    bias_gradient: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Write loss, sum of squared errors and gradient by the outputs; see the reference."""
    pointwise_variant(loss)(outputs, targets, delta, bias_gradient, scores)


def _arguments(loss: Loss, dtype: str, batch: int, outputs: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(batch)
    found, targets = rng.standard_normal((2, batch, outputs)).astype(dtype)
    return loss, found, targets, np.zeros_like(found), np.zeros(outputs, dtype), np.zeros(2)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for loss in LOSSES.values():
            if not isinstance(loss, PointwiseLoss):
                continue
            for batch, outputs in ((1, 1), (7, 3), (33, 10)):
                # a few roundings in the function, a product, and a sum over the batch of terms of
                # both signs, whose magnitudes are at most the batch times their largest
                yield Case(
                    f"{dtype}-{loss.name}-{batch}x{outputs}",
                    functools.partial(_arguments, loss, dtype, batch, outputs),
                    writes=(3, 4, 5),
                    tolerance=(batch + 16) * float(np.finfo(dtype).eps),
                )


def _loads() -> Iterator[Load]:
    """Generate one output, as of most tables, and many, as of autoencoders, of squared errors."""
    for batch, outputs in ((128, 1), (128, 784)):

        def arguments(dtype: str, batch: int = batch, outputs: int = outputs) -> tuple[Any, ...]:
            return _arguments(LOSSES["squared_error"], dtype, batch, outputs)

        # two differences, squares and sums, the slope, its share and their sum
        yield Load(
            f"{batch} x {outputs}", arguments, both(9 * batch * outputs), 3 * batch * outputs
        )


register(
    "pointwise_loss",
    numpy=pointwise_loss_reference,
    numba=pointwise_loss,
    cases=_cases,
    loads=_loads,
)
