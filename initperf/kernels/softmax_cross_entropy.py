"""Softmax cross-entropy and its gradient in one pass over the logits.

The maximum is subtracted first, so that no exponential overflows, and the loss is the logarithm of
the sum, so that no logarithm of a probability of 0 is taken (Blanchard, Higham & Higham,
"Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41, 2021).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.elementary import exp
from initperf.jit.policy import jit, like, portable, where
from initperf.jit.tiles import side
from initperf.jit.tuning import SWEEP_CHUNK
from initperf.jit.views import as_row, as_rows, unowned
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.kernels._softmax_columns import add_rows, by_columns


def softmax_cross_entropy_reference(
    logits: np.ndarray,
    targets: np.ndarray,
    delta: np.ndarray,
    bias_gradient: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Write the loss, the count of correct predictions and the gradient by the logits.

    Parameters
    ----------
    logits : numpy.ndarray
        (batch, classes), float32 or float64, C order.
    targets : numpy.ndarray
        (batch, 1), of the same dtype: the number of each row's class.
    delta : numpy.ndarray
        (batch, classes), written: (softmax - one-hot) / batch.
    bias_gradient : numpy.ndarray
        (classes,), written: the sums of the columns of `delta`.
    scores : numpy.ndarray
        (2,) float64, written: the mean loss, and the count of correct predictions.
    """
    labels = targets[:, 0].astype(np.int64)
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = exp(shifted)
    sums = exponentials.sum(axis=1)
    losses = np.log(sums.astype(np.float64)) - shifted[rows, labels]
    delta[:] = exponentials / sums[:, None]
    delta[rows, labels] -= 1
    delta /= len(labels)
    np.sum(delta, axis=0, out=bias_gradient)
    scores[:] = losses.mean(), np.sum(logits.argmax(axis=1) == labels)


_ROWS = 4
"""Rows that are searched and summed side by side, as each entry waits for the one before it."""


@portable
def _four(matrix: Any, first: Any) -> tuple[Any, Any, Any, Any]:
    """Return four rows; in place of those after the last row, the last."""
    last = len(matrix) - 1
    return (
        matrix[first],
        matrix[min(first + 1, last)],
        matrix[min(first + 2, last)],
        matrix[min(first + 3, last)],
    )


@portable
def _maxima(matrix: Any, maxima: Any) -> None:
    for i in range(0, len(matrix), _ROWS):
        row_0, row_1, row_2, row_3 = _four(matrix, i)
        high_0, high_1, high_2, high_3 = row_0[0], row_1[0], row_2[0], row_3[0]
        for j in range(1, row_0.size):
            high_0 = where(row_0[j] > high_0, row_0[j], high_0)
            high_1 = where(row_1[j] > high_1, row_1[j], high_1)
            high_2 = where(row_2[j] > high_2, row_2[j], high_2)
            high_3 = where(row_3[j] > high_3, row_3[j], high_3)
        maxima[i], maxima[i + 1], maxima[i + 2], maxima[i + 3] = high_0, high_1, high_2, high_3


@portable
def _sums(matrix: Any, sums: Any) -> None:
    for i in range(0, len(matrix), _ROWS):
        row_0, row_1, row_2, row_3 = _four(matrix, i)
        sum_0 = sum_1 = sum_2 = sum_3 = like(matrix, 0.0)
        for j in range(row_0.size):
            sum_0 += row_0[j]
            sum_1 += row_1[j]
            sum_2 += row_2[j]
            sum_3 += row_3[j]
        sums[i], sums[i + 1], sums[i + 2], sums[i + 3] = sum_0, sum_1, sum_2, sum_3


@portable
def _is_first(row: Any, label: Any, highest: Any) -> Any:
    """Return whether `highest` is at `label` and not before; where it is NaN, it is at 0."""
    found = row[label] == highest or (label == 0 and highest != highest)
    if found:
        for j in range(label):
            found = found and row[j] != highest
    return found


@portable
def _by_rows(logits: Any, targets: Any, delta: Any, share: Any, scratch: Any) -> int:
    """Exponentiate and scale a few long rows; parameters and result as of `by_columns`.

    The exponentials of all rows are one loop.
    """
    count, classes = logits.shape
    maxima, sums = scratch[0], scratch[1]
    _maxima(logits, maxima)
    for i in range(count):
        row, gradient, highest = logits[i], delta[i], maxima[i]
        for j in range(classes):
            gradient[j] = row[j] - highest
    values = as_row(delta)
    for k in range(values.size):
        values[k] = exp(values[k])
    _sums(delta, sums)
    correct = 0
    for i in range(count):
        correct += _is_first(logits[i], int(targets[i, 0]), maxima[i])
    for i in range(count):
        gradient, scale = delta[i], share / sums[i]
        for j in range(classes):
            gradient[j] *= scale
    return correct


@jit
def softmax_cross_entropy(
    logits: np.ndarray,
    targets: np.ndarray,
    delta: np.ndarray,
    bias_gradient: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Write loss, count of correct predictions and gradient by the logits; see the reference.

    Each step runs over a block of rows that stays in the first-level cache, and which is transposed
    where its rows are shorter than it is high. A row that has just been written as vectors and is
    then changed at one entry is not read as vectors at once, which would wait for both stores.
    """
    logits, targets, delta, bias_gradient = unowned((logits, targets, delta, bias_gradient))
    batch, classes = logits.shape
    share = like(logits, 1.0) / logits.dtype.type(batch)
    loss = 0.0
    correct = 0
    totals = as_rows(bias_gradient, 1, classes)
    for j in range(classes):
        totals[0, j] = like(logits, 0.0)
    fitting = min(SWEEP_CHUNK // classes, batch + _ROWS - 1)
    block = _ROWS * max(1, fitting // _ROWS)
    scratch, room = np.empty((4, block), logits.dtype), np.empty(block * classes, logits.dtype)
    for begin in range(0, batch, block):
        end = min(begin + block, batch)
        rows, labels, gradients = logits[begin:end], targets[begin:end], delta[begin:end]
        count = end - begin
        turning = side(logits) <= min(count, classes) and classes <= block
        maxima, sums = scratch[0], scratch[1]
        if turning:
            turned = as_rows(room, classes, count)
            correct += by_columns(rows, labels, gradients, share, scratch, turned)
        else:
            correct += _by_rows(rows, labels, gradients, share, scratch)
        for i in range(count):
            label = int(labels[i, 0])
            loss += np.log(np.float64(sums[i])) - np.float64(rows[i, label] - maxima[i])
            gradients[i, label] -= share
        if turning:
            add_rows(gradients, totals, as_rows(room, 1, classes))
        else:
            for i in range(count):
                gradient = gradients[i]
                for j in range(classes):
                    totals[0, j] += gradient[j]
    scores[0] = loss / batch
    scores[1] = correct


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for batch, classes, scale in (
            *((1, 1, 1.0), (1, 10, 1.0), (7, 3, 50.0), (33, 10, 1e4)),
            *((33, 8, 1.0), (206, 10, 1.0), (33, 100, 1.0)),  # whole squares, and two blocks
        ):

            def arguments(
                dtype: str = dtype, batch: int = batch, classes: int = classes, scale: float = scale
            ) -> tuple[Any, ...]:
                rng = np.random.default_rng(batch)
                logits = (scale * rng.standard_normal((batch, classes))).astype(dtype)
                targets = rng.integers(0, classes, (batch, 1)).astype(dtype)
                delta = np.zeros_like(logits)
                return logits, targets, delta, np.zeros(classes, dtype), np.zeros(2)

            # a sum over the classes, a division and two products, then a sum over the batch of
            # magnitudes up to 1 / batch: one rounding for each
            tolerance = (batch + classes + 4) * float(np.finfo(dtype).eps)
            label = f"{dtype}-{batch}x{classes}-scale-{scale:g}"
            yield Case(label, arguments, writes=(2, 3, 4), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Generate the last layer of a network for MNIST, and of one for ImageNet."""
    for batch, classes in ((128, 10), (1024, 1000)):

        def arguments(dtype: str, batch: int = batch, classes: int = classes) -> tuple[Any, ...]:
            rng = np.random.default_rng(0)
            logits = rng.standard_normal((batch, classes)).astype(dtype)
            targets = rng.integers(0, classes, (batch, 1)).astype(dtype)
            delta = np.zeros_like(logits)
            return logits, targets, delta, np.zeros(classes, dtype), np.zeros(2)

        # shift, exponential (a polynomial of about ten operations), sum, division, sum
        operations = both(14 * batch * classes)
        yield Load(f"{batch} x {classes}", arguments, operations, 2 * batch * classes)


register(
    "softmax_cross_entropy",
    numpy=softmax_cross_entropy_reference,
    numba=softmax_cross_entropy,
    cases=_cases,
    loads=_loads,
)
