"""One epoch of mini-batch gradient descent on a multilayer perceptron, fully instrumented.

The loop over batches is compiled as a whole: gather, forward, loss, backward (Rumelhart, Hinton &
Williams 1986), clipping, update, each with its statistics from the pass that touches the data
anyway. Parameters and gradients are flat: for each layer its weights in C order, then its biases.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from initperf.kernels._address import Family
from initperf.kernels._bits import integers_like
from initperf.kernels._blas import blas
from initperf.kernels._kernel import Case, Function, jit, portable, register
from initperf.kernels._load import Load, both
from initperf.kernels._optimizers import OPTIMIZERS, Settings
from initperf.kernels.activate import ACTIVATE, TOTALS, activation_pass
from initperf.kernels.dense_backward import backward, dense_backward_reference
from initperf.kernels.dense_forward import dense_forward_reference, forward
from initperf.kernels.histogram import BINS, HISTOGRAM, histogram, histogram_reference
from initperf.kernels.softmax_cross_entropy import (
    LOSS,
    softmax_cross_entropy,
    softmax_cross_entropy_reference,
)
from initperf.kernels.squared_norm import SQUARED_NORM, squared_norm, squared_norm_reference
from initperf.kernels.update import UPDATE, UPDATES, update_pass, update_reference

STATISTICS = (*UPDATES[:5], *TOTALS, UPDATES[5])
_FORWARD = 5
_RATIO = len(STATISTICS) - 1
_LINEAR = 0

_loss, _norm, _update, _count = LOSS.call, SQUARED_NORM.call, UPDATE.call, HISTOGRAM.call


class _Passes(NamedTuple):
    """Addresses of passes, or codes and functions for the reference: measured ones, then plain."""

    hidden: tuple[Any, Any]
    output: tuple[Any, Any]
    update: tuple[Any, Any]
    loss: Any
    norm: Any
    histogram: Any
    blas: Any


class Descent(NamedTuple):
    """How weights follow their gradients.

    Attributes
    ----------
    optimizer : int
        Its number.
    factors : numpy.ndarray
        (steps, factors), of the dtype of the weights.
    memories : numpy.ndarray
        (memories of the optimizer, parameters), updated.
    clip_globally : bool
        Whether the norm that is clipped is that of all layers together.
    """

    optimizer: int
    factors: np.ndarray
    memories: np.ndarray
    clip_globally: bool = False


class Histograms(NamedTuple):
    """Histograms of activations and gradients, by layer.

    Attributes
    ----------
    places : numpy.ndarray
        (steps,) int64: which row below takes the histograms of a step; -1 for none.
    bounds : numpy.ndarray
        (rows, layers, 2, 2) float64, written: the activation's and the gradient's, where the
        first bin begins and the last ends.
    counts : numpy.ndarray
        (rows, layers, 2, BINS) int64, written.
    """

    places: np.ndarray
    bounds: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, wanted: np.ndarray, layers: int) -> "Histograms":
        """Make room for the steps where an array of Booleans is true."""
        rows = int(np.sum(wanted))
        places = np.where(wanted, np.cumsum(wanted) - 1, -1)
        bounds, counts = np.zeros((rows, layers, 2, 2)), np.zeros((rows, layers, 2, BINS), np.int64)
        return cls(places, bounds, counts)


def _gather_reference(images: Any, labels: Any, chosen: Any, x: Any, batch_labels: Any) -> None:
    np.take(images, chosen, axis=0, out=x)
    batch_labels[:] = labels[chosen]


@portable
def _gather(images: Any, labels: Any, chosen: Any, x: Any, batch_labels: Any) -> None:
    for i in range(chosen.size):
        image, row = images[chosen[i]], x[i]
        for j in range(row.size):
            row[j] = image[j]
        batch_labels[i] = labels[chosen[i]]


def _add_reference(a: Any, x: Any) -> None:
    a += x


@portable
def _add(a: Any, x: Any) -> None:
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] += x[i, j]


def _epoch(
    gather: Function, forward: Function, add: Function, backward: Function
) -> Callable[..., tuple[int, int]]:
    """Write the loop once, over the kernels of either backend."""

    def steps(
        images: Any,
        labels: Any,
        order: Any,
        batch_size: int,
        sizes: Any,
        residual: bool,
        passes: Any,
        parameters: Any,
        gradients: Any,
        memories: Any,
        slots: int,
        work: Any,
        seen: Any,
        space: Any,
        batch_labels: Any,
        factors: Any,
        clip_norm: float,
        clip_globally: bool,
        losses: Any,
        correct: Any,
        statistics: Any,
        recorded: int,
        places: Any,
        bounds: Any,
        counts: Any,
    ) -> tuple[int, int]:
        depth = sizes.size - 1
        count = parameters.size
        verdict, numbers, updates = space[:1], space[1:3], space[3:9]
        nothing, scales = space[:0], space[9:]
        for layer in range(depth):
            scales[layer] = 1.0
        first_recorded = losses.size - recorded
        for step in range(losses.size):
            measured = step >= first_recorded
            kind = 0 if measured else 1
            record = statistics[step - first_recorded if measured else 0]
            place = places[step]
            begin = step * batch_size
            rows = min(batch_size, order.size - begin)
            wanted = batch_labels[:rows]
            x = work[: rows * sizes[0]].reshape((rows, sizes[0]))
            gather(images, labels, order[begin : begin + rows], x, wanted)

            at, here = 0, 0
            a = delta = x
            for layer in range(depth):
                fan_in, fan_out = sizes[layer], sizes[layer + 1]
                end = at + fan_in * fan_out
                here += batch_size * fan_in
                behind = work.size - here - rows * fan_out
                x = a
                a = work[here : here + rows * fan_out].reshape((rows, fan_out))
                delta = work[behind : behind + rows * fan_out].reshape((rows, fan_out))
                forward(
                    passes.blas,
                    passes.hidden[kind] if layer < depth - 1 else passes.output[kind],
                    x,
                    parameters[at:end].reshape((fan_in, fan_out)),
                    parameters[end : end + fan_out],
                    delta,
                    a,
                    seen[:fan_out],
                    record[layer, _FORWARD:_RATIO] if measured else nothing,
                    verdict,
                )
                if verdict[0] > 0.0:
                    return step, layer
                if place >= 0:
                    values = work[here : here + rows * fan_out]
                    _count(
                        passes.histogram, values, bounds[place, layer, 0], counts[place, layer, 0]
                    )
                if residual and layer < depth - 1 and fan_in == fan_out:
                    add(a, x)
                at = end + fan_out
            _loss(passes.loss, a, wanted, delta, gradients[count - sizes[depth] :], numbers)
            losses[step] = numbers[0]
            correct[step] = int(numbers[1])

            above = a
            for layer in range(depth - 1, -1, -1):
                fan_in, fan_out = sizes[layer], sizes[layer + 1]
                at -= fan_out * (fan_in + 1)
                end = at + fan_in * fan_out
                here -= batch_size * fan_in
                behind = work.size - here - rows * fan_in
                x = work[here : here + rows * fan_in].reshape((rows, fan_in))
                below = work[behind : behind + rows * fan_in].reshape((rows, fan_in))
                backward(
                    passes.blas,
                    x,
                    parameters[at:end].reshape((fan_in, fan_out)),
                    delta,
                    gradients[at:end].reshape((fan_in, fan_out)),
                    below,
                    gradients[max(0, at - fan_in) : max(at, fan_in)],
                    above,
                    residual and layer < depth - 1 and fan_in == fan_out,
                    layer == 0,
                )
                above, delta = x, below

            if clip_norm > 0.0:
                at, whole = count, 0.0
                for layer in range(depth - 1, -1, -1):
                    end = at
                    at -= sizes[layer + 1] * (sizes[layer] + 1)
                    _norm(passes.norm, gradients[at:end], numbers)
                    if not numbers[0] < np.inf:
                        return step, layer
                    whole += numbers[0]
                    scales[layer] = numbers[0]
                for layer in range(depth):
                    size = np.sqrt(whole if clip_globally else scales[layer])
                    scales[layer] = clip_norm / size if size > clip_norm else 1.0

            at = count
            for layer in range(depth - 1, -1, -1):
                fan_in, fan_out = sizes[layer], sizes[layer + 1]
                end = at - fan_out
                for part in range(2):  # the biases, whose statistics nobody asks for, are first
                    start, stop = (end, at) if part == 0 else (end - fan_in * fan_out, end)
                    one, two = min(1, slots), min(1, slots // 2)
                    _update(
                        passes.update[kind],
                        parameters[start:stop],
                        gradients[start:stop],
                        memories[one * start : one * stop],
                        memories[two * (count + start) : two * (count + stop)],
                        factors[step],
                        scales[layer],
                        updates if measured else nothing,
                        verdict,
                    )
                    if verdict[0] > 0.0:
                        return step, layer
                if place >= 0:
                    values = gradients[end - fan_in * fan_out : end]
                    _count(
                        passes.histogram, values, bounds[place, layer, 1], counts[place, layer, 1]
                    )
                if measured:
                    for column in range(_FORWARD):
                        record[layer, column] = updates[column]
                    record[layer, _RATIO] = updates[_FORWARD]
                at = end - fan_in * fan_out
        return losses.size, 0

    return steps


# Numba keys the cache by what a closure holds, and a jitted function is another in each process:
# held directly, the two would have the loop compiled anew every time


@portable
def _forward(*arguments: Any) -> None:
    forward(*arguments)


@portable
def _backward(*arguments: Any) -> None:
    backward(*arguments)


_steps = jit(_epoch(_gather, _forward, _add, _backward))


def _forward_reference(addresses: Any, activation: int, *arguments: Any) -> None:
    dense_forward_reference(activation, *arguments)


def _backward_reference(addresses: Any, *arguments: Any) -> None:
    dense_backward_reference(*arguments)


_reference_steps = _epoch(
    _gather_reference, _forward_reference, _add_reference, _backward_reference
)


def work_size(sizes: Any, batch_size: int) -> int:
    """Return how many elements of work space an epoch needs: inputs and slopes of every layer."""
    return 2 * batch_size * int(np.sum(sizes))


def _reference_passes(dtype: np.dtype[Any], code: int, optimizer: int) -> _Passes:
    def updating(*arguments: Any) -> None:
        update_reference(optimizer, *arguments)

    return _Passes(
        (code, code),
        (_LINEAR, _LINEAR),
        (updating, updating),
        softmax_cross_entropy_reference,
        squared_norm_reference,
        histogram_reference,
        blas(dtype),
    )


def _compiled_passes(
    dtype: np.dtype[Any],
    code: int,
    optimizer: int,
    clips: bool,
    counts: bool,
    records: tuple[bool, bool],
) -> _Passes:
    def both(family: Family, pass_of: Function, number: int) -> tuple[Any, Any]:
        # where only one kind runs, it stands for the other, which then is not compiled
        kinds = [
            measured for measured, needed in zip((True, False), records, strict=True) if needed
        ]
        found = [family.address(pass_of(number, measured), dtype) for measured in kinds]
        return found[0], found[-1]

    return _Passes(
        both(ACTIVATE, activation_pass, code),
        both(ACTIVATE, activation_pass, _LINEAR),
        both(UPDATE, update_pass, optimizer),
        LOSS.address(softmax_cross_entropy, dtype),
        SQUARED_NORM.address(squared_norm, dtype) if clips else 0,
        HISTOGRAM.address(histogram, dtype) if counts else 0,
        blas(dtype),
    )


def _descent(parameters: np.ndarray, rates: np.ndarray) -> Descent:
    optimizer = OPTIMIZERS["sgd"]
    factors = optimizer.factors(rates, 0, Settings()).astype(parameters.dtype)
    return Descent(optimizer.code, factors, np.zeros((0, parameters.size), parameters.dtype))


def _arguments(
    images: np.ndarray,
    labels: np.ndarray,
    order: np.ndarray,
    batch_size: int,
    sizes: np.ndarray,
    passes: _Passes,
    parameters: np.ndarray,
    gradients: np.ndarray,
    work: np.ndarray,
    descent: Descent,
    clip_norm: float,
    losses: np.ndarray,
    correct: np.ndarray,
    statistics: np.ndarray,
    residual: bool,
    histograms: Histograms | None,
) -> tuple[Any, ...]:
    histograms = histograms or Histograms.of(np.zeros(len(losses), np.bool_), len(sizes) - 1)
    seen = np.zeros(int(sizes.max()), integers_like(images.dtype))
    memories = descent.memories.reshape(-1)
    rows = statistics if len(statistics) else np.zeros((1, *statistics.shape[1:]))
    return (
        *(images, labels, order, batch_size, sizes, residual, passes, parameters, gradients),
        *(memories, len(descent.memories), work, seen, np.zeros(9 + sizes.size)),
        *(np.zeros(batch_size, np.int64), descent.factors, clip_norm),
        *(descent.clip_globally, losses, correct, rows, len(statistics), *histograms),
    )


def train_epoch_reference(
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
    descent: Descent | None = None,
    residual: bool = False,
    histograms: Histograms | None = None,
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
        The largest L2 norm of a layer's gradient, or of all; 0 for no limit.
    losses, correct : numpy.ndarray
        (steps,) float64 and (steps,) int64, written.
    statistics : numpy.ndarray
        (recorded, layers, len(STATISTICS)) float64, written: of the last so many steps. In a
        residual layer those of the activation are of the branch, before the input is added.
    descent : Descent, optional
        How weights follow their gradients; plain gradient descent by default.
    residual : bool
        Whether a hidden layer whose input is as wide as its output adds it to it:
        ``x + f(x @ weights + bias)``.
    histograms : Histograms, optional
        Which to take, and where they go.

    Returns
    -------
    tuple of int
        (steps done, layer): fewer steps than asked for when a magnitude reached
        `initperf.kernels._bits.LIMITS`, infinity or NaN; in that layer, counted from 0, first.
    """
    descent = descent or _descent(parameters, rates)
    passes = _reference_passes(images.dtype, code, descent.optimizer)
    with np.errstate(over="ignore", invalid="ignore"):
        return _reference_steps(
            *_arguments(
                *(images, labels, order, batch_size, sizes, passes, parameters, gradients, work),
                *(descent, clip_norm, losses, correct, statistics, residual, histograms),
            )
        )


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
    descent: Descent | None = None,
    residual: bool = False,
    histograms: Histograms | None = None,
) -> tuple[int, int]:
    """Train for one epoch; see the reference."""
    descent = descent or _descent(parameters, rates)
    records = len(statistics) > 0, len(statistics) < len(losses)
    needed = clip_norm > 0.0, histograms is not None, records
    passes = _compiled_passes(images.dtype, code, descent.optimizer, *needed)
    # the compiled loop never warns; run as plain Python, it would of every overflow
    with np.errstate(over="ignore", invalid="ignore"):
        done, layer = _steps(
            *_arguments(
                *(images, labels, order, batch_size, sizes, passes, parameters, gradients, work),
                *(descent, clip_norm, losses, correct, statistics, residual, histograms),
            )
        )
    return int(done), int(layer)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for code, hidden, clip_norm in ((1, (7,), 0.0), (1, (9, 5), 0.5), (1, (6, 6, 6), 0.0)):

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
                    *(images, labels, rng.permutation(23), batch_size, sizes, code, parameters),
                    np.zeros_like(parameters),
                    np.zeros(work_size(sizes, batch_size), dtype),
                    *(rates, clip_norm, np.zeros(3), np.zeros(3, np.int64)),
                    np.zeros((3, len(sizes) - 1, len(STATISTICS))),
                    None,
                    len(hidden) == 3,
                )

            # three steps through at most four layers, sums of at most 23 terms each way
            tolerance = 3 * 2 * 4 * 23 * float(np.finfo(dtype).eps)
            label = f"{dtype}-{code}-{len(hidden)}-clip-{clip_norm:g}"
            yield Case(label, arguments, writes=(6, 7, 8, 11, 12, 13), tolerance=tolerance)


def _loads() -> Iterator[Load]:
    """Make one step of gradient descent, without statistics, in two networks."""
    for batch, *widths in ((32, 784, 256, 10), (128, 784, 512, 256, 128, 10)):
        products = [fan_in * fan_out for fan_in, fan_out in pairwise(widths)]
        count = sum(products) + sum(widths[1:])

        def arguments(
            dtype: str, batch: int = batch, widths: Sequence[int] = widths, count: int = count
        ) -> tuple[Any, ...]:
            rng, sizes = np.random.default_rng(0), np.array(widths)
            images = rng.standard_normal((batch, widths[0])).astype(dtype)
            labels, order = np.arange(batch) % widths[-1], np.arange(batch)
            parameters = (0.01 * rng.standard_normal(count)).astype(dtype)
            return (
                *(images, labels, order, batch, sizes, 1, parameters),
                np.zeros_like(parameters),
                np.zeros(work_size(sizes, batch), dtype),
                *(np.full(1, 1e-4), 0.0, np.zeros(1), np.zeros(1, np.int64)),
                np.zeros((0, len(widths) - 1, len(STATISTICS))),
            )

        # forward, and back twice but for the first layer; the update
        operations = both(2 * batch * (3 * sum(products) - products[0]) + 2 * count)
        # weights read twice and written, gradients written and read; the images
        moved = 5 * count + batch * widths[0]
        label = f"{'-'.join(map(str, widths))}, batch {batch}"
        yield Load(label, arguments, operations, moved)


register("train_epoch", numpy=train_epoch_reference, numba=train_epoch, cases=_cases, loads=_loads)
