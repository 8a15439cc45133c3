"""Softmax cross-entropy and its gradient in one pass over the logits.

The maximum is subtracted first, so that no exponential overflows, and the loss is the logarithm of
the sum, so that no logarithm of a probability of 0 is taken (Blanchard, Higham & Higham,
"Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41, 2021).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from initperf.jit.elementary import exp
from initperf.jit.policy import jit
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both


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


@jit
def softmax_cross_entropy(
    logits: np.ndarray,
    targets: np.ndarray,
    delta: np.ndarray,
    bias_gradient: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Write loss, count of correct predictions and gradient by the logits; see the reference."""
    batch, classes = logits.shape
    share = logits.dtype.type(1.0) / logits.dtype.type(batch)
    loss = 0.0
    correct = 0
    for j in range(classes):
        bias_gradient[j] = 0.0
    for i in range(batch):
        row, gradient, label = logits[i], delta[i], int(targets[i, 0])
        highest, at = row[0], 0
        for j in range(1, classes):
            if row[j] > highest:
                highest, at = row[j], j
        total = row[0] - row[0]
        for j in range(classes):
            gradient[j] = exp(row[j] - highest)
        for j in range(classes):
            total += gradient[j]
        loss += np.log(np.float64(total)) - np.float64(row[label] - highest)
        scale = share / total
        for j in range(classes):
            gradient[j] *= scale
        gradient[label] -= share
        for j in range(classes):
            bias_gradient[j] += gradient[j]
        correct += at == label
    scores[0] = loss / batch
    scores[1] = correct


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for batch, classes, scale in ((1, 1, 1.0), (1, 10, 1.0), (7, 3, 50.0), (33, 10, 1e4)):

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
