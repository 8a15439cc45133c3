"""One epoch of mini-batch gradient descent on a multilayer perceptron, fully instrumented.

The loop over batches is compiled as a whole: gather, forward, loss, backward (Rumelhart, Hinton &
Williams 1986), clipping, update, each with its statistics from the pass that touches the data
anyway. Parameters and gradients are flat: for each layer its weights in C order, then its biases.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from initperf.kernels._kernel import Case, Function, jit, portable, register
from initperf.kernels.activate import TOTALS
from initperf.kernels.dense_backward import dense_backward, dense_backward_reference
from initperf.kernels.dense_forward import dense_forward, dense_forward_reference
from initperf.kernels.sgd_update import (
    sgd_update,
    sgd_update_reference,
    squared_norm,
    squared_norm_reference,
)
from initperf.kernels.softmax_cross_entropy import (
    softmax_cross_entropy,
    softmax_cross_entropy_reference,
)

STATISTICS = (
    "weight_mean",
    "weight_std",
    "weight_max",
    "gradient_norm",
    "gradient_mean_abs",
    *TOTALS,
    "dead_fraction",
    "update_ratio",
)
_FORWARD = 5
_DEAD = STATISTICS.index("dead_fraction")
_RATIO = STATISTICS.index("update_ratio")


def _epoch(
    forward: Function, loss_of: Function, backward: Function, norm: Function, update: Function
) -> Callable[..., tuple[int, int]]:
    """Write the loop once, over the kernels of either backend."""

    @portable
    def train_epoch(
        images: Any,
        labels: Any,
        order: Any,
        batch_size: int,
        sizes: Any,
        code: int,
        parameters: Any,
        gradients: Any,
        work: Any,
        rates: Any,
        clip_norm: float,
        losses: Any,
        correct: Any,
        statistics: Any,
    ) -> tuple[int, int]:
        depth = sizes.size - 1
        largest = np.zeros(sizes.max(), images.dtype)
        batch_labels = np.zeros(batch_size, np.int64)
        for step in range(rates.size):
            begin = step * batch_size
            rows = min(batch_size, order.size - begin)
            record = statistics[step]
            x = work[: rows * sizes[0]].reshape((rows, sizes[0]))
            for i in range(rows):
                x[i] = images[order[begin + i]]
                batch_labels[i] = labels[order[begin + i]]

            at, here = 0, 0
            for layer in range(depth):
                fan_in, fan_out = sizes[layer], sizes[layer + 1]
                end = at + fan_in * fan_out
                x = work[here : here + rows * fan_in].reshape((rows, fan_in))
                here += batch_size * fan_in
                a = work[here : here + rows * fan_out].reshape((rows, fan_out))
                behind = work.size - here - rows * fan_out
                slopes = work[behind : behind + rows * fan_out].reshape((rows, fan_out))
                forward(
                    code if layer < depth - 1 else 0,
                    x,
                    parameters[at:end].reshape((fan_in, fan_out)),
                    parameters[end : end + fan_out],
                    slopes,
                    a,
                    largest[:fan_out],
                    record[layer, _FORWARD:_DEAD],
                )
                if not np.isfinite(record[layer, _FORWARD:_DEAD]).all():
                    return step, layer
                record[layer, _DEAD] = np.mean(largest[:fan_out] == 0)
                at = end + fan_out
            losses[step], correct[step] = loss_of(a, batch_labels[:rows], slopes)

            delta = slopes
            for layer in range(depth - 1, -1, -1):
                fan_in, fan_out = sizes[layer], sizes[layer + 1]
                at -= fan_out * (fan_in + 1)
                end = at + fan_in * fan_out
                here -= batch_size * fan_in
                x = work[here : here + rows * fan_in].reshape((rows, fan_in))
                behind = work.size - here - rows * fan_in
                below = work[behind : behind + rows * fan_in].reshape((rows, fan_in))
                backward(
                    x,
                    parameters[at:end].reshape((fan_in, fan_out)),
                    delta,
                    gradients[at:end].reshape((fan_in, fan_out)),
                    gradients[end : end + fan_out],
                    below,
                    layer == 0,
                )
                delta = below
                rate = rates[step]
                if clip_norm > 0.0:
                    size = np.sqrt(norm(gradients[at : end + fan_out]))
                    if size > clip_norm:
                        rate *= clip_norm / size
                update(parameters[at:end], gradients[at:end], rate, record[layer, :_FORWARD])
                for j in range(end, end + fan_out):
                    parameters[j] -= images.dtype.type(rate) * gradients[j]
                if not np.isfinite(record[layer, :_FORWARD]).all():
                    return step, layer
                length = np.sqrt(
                    float(fan_in * fan_out) * (record[layer, 0] ** 2 + record[layer, 1] ** 2)
                )
                moved = rate * record[layer, 3]
                record[layer, _RATIO] = moved / length if length > 0.0 else 0.0
        return rates.size, 0

    return train_epoch


_loop = _epoch(dense_forward, softmax_cross_entropy, dense_backward, squared_norm, sgd_update)
_reference_loop = _epoch(
    dense_forward_reference,
    softmax_cross_entropy_reference,
    dense_backward_reference,
    squared_norm_reference,
    sgd_update_reference,
)


def work_size(sizes: Any, batch_size: int) -> int:
    """Return how many elements of work space an epoch needs: inputs and slopes of every layer."""
    return 2 * batch_size * int(np.sum(sizes))


def train_epoch_reference(*arguments: Any) -> tuple[int, int]:
    """Train for one epoch; the arguments are those of `train_epoch`."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _reference_loop(*arguments)


@jit
def train_epoch(
    images: np.ndarray,
    labels: np.ndarray,
    order: np.ndarray,
    batch_size: int,
    sizes: np.ndarray,
    code: int,
    parameters: np.ndarray,
    gradients: np.ndarray,
    work: np.ndarray,
    rates: np.ndarray,
    clip_norm: float,
    losses: np.ndarray,
    correct: np.ndarray,
    statistics: np.ndarray,
) -> tuple[int, int]:
    """Train for one epoch.

    Parameters
    ----------
    images, labels : numpy.ndarray
        (count, features), float32 or float64, and (count,), integers.
    order : numpy.ndarray
        The images' indices in the order they are taken.
    batch_size : int
        Images a step; the last may have fewer.
    sizes : numpy.ndarray
        int64, the widths of all layers from input to output.
    code : int
        The hidden layers' activation.
    parameters, gradients : numpy.ndarray
        Flat, of the dtype of `images`; the parameters are updated, the gradients written.
    work : numpy.ndarray
        `work_size` elements of the same dtype, contents of no matter.
    rates : numpy.ndarray
        float64, the learning rate of each step; there are as many steps as rates.
    clip_norm : float
        The largest L2 norm of a layer's gradient; 0 for no limit.
    losses, correct, statistics : numpy.ndarray
        (steps,) float64, (steps,) int64 and (steps, layers, len(STATISTICS)) float64, written.

    Returns
    -------
    tuple of int
        (steps done, layer): fewer steps than asked for when a value was no longer finite in that
        layer, the first, counted from 0, where it showed.
    """
    return _loop(
        images,
        labels,
        order,
        batch_size,
        sizes,
        code,
        parameters,
        gradients,
        work,
        rates,
        clip_norm,
        losses,
        correct,
        statistics,
    )


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for code, hidden, clip_norm in ((1, (7,), 0.0), (2, (9, 5), 0.5), (3, (6, 6, 6), 0.0)):

            def arguments(
                dtype: str = dtype,
                code: int = code,
                hidden: tuple[int, ...] = hidden,
                clip_norm: float = clip_norm,
            ) -> tuple[Any, ...]:
                rng = np.random.default_rng(code)
                sizes = np.array([11, *hidden, 4])
                images = rng.standard_normal((23, 11)).astype(dtype)
                labels = rng.integers(0, 4, 23)
                count = int(np.sum((sizes[:-1] + 1) * sizes[1:]))
                parameters = (0.5 * rng.standard_normal(count)).astype(dtype)
                rates, batch_size = np.array([0.1, 0.05, 0.2]), 8
                return (
                    images,
                    labels,
                    rng.permutation(23),
                    batch_size,
                    sizes,
                    code,
                    parameters,
                    np.zeros_like(parameters),
                    np.zeros(work_size(sizes, batch_size), dtype),
                    rates,
                    clip_norm,
                    np.zeros(3),
                    np.zeros(3, np.int64),
                    np.zeros((3, len(sizes) - 1, len(STATISTICS))),
                )

            # three steps through at most four layers, sums of at most 23 terms each way
            tolerance = 3 * 2 * 4 * 23 * float(np.finfo(dtype).eps)
            label = f"{dtype}-{code}-{len(hidden)}-clip-{clip_norm:g}"
            yield Case(label, arguments, writes=(6, 7, 8, 11, 12, 13), tolerance=tolerance)


register("train_epoch", numpy=train_epoch_reference, numba=train_epoch, cases=_cases)
