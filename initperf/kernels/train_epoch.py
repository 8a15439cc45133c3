"""One epoch of mini-batch gradient descent on a multilayer perceptron, fully instrumented.

The loop over batches is compiled as a whole: gather, forward, loss, backward, clipping, update,
each with its statistics from the pass that touches the data anyway.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from initperf.activations import ACTIVATIONS, Activation
from initperf.jit.address import Family
from initperf.jit.blas import blas
from initperf.jit.policy import Function, jit, portable
from initperf.jit.views import as_rows, unowned
from initperf.kernels._epoch import (
    Batches,
    Descent,
    Histograms,
    Layout,
    Movement,
    Passes,
    Records,
    Space,
)
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both
from initperf.kernels._movement import clip, largest, largest_reference, move, peaks
from initperf.kernels._sweeps import (
    STATISTICS,
    add,
    add_reference,
    backward_sweep,
    forward_sweep,
    gather,
    gather_reference,
)
from initperf.kernels.activate import ACTIVATE, activation_pass
from initperf.kernels.dense_backward import backward, dense_backward_reference
from initperf.kernels.dense_forward import dense_forward_reference, forward
from initperf.kernels.histogram import HISTOGRAM, histogram, histogram_reference
from initperf.kernels.softmax_cross_entropy import (
    LOSS,
    softmax_cross_entropy,
    softmax_cross_entropy_reference,
)
from initperf.kernels.squared_norm import SQUARED_NORM, squared_norm, squared_norm_reference
from initperf.kernels.update import UPDATE, update_pass, update_reference
from initperf.optimizers import OPTIMIZERS, Optimizer

__all__ = ["STATISTICS", "Descent", "Histograms", "train_epoch", "work_size"]

_LINEAR = ACTIVATIONS["linear"]

_loss = LOSS.call


def _epoch(find_peaks: Function, ahead: Function, back: Function) -> Callable[..., tuple[int, int]]:
    """Write the loop once, over the sweeps of either backend."""

    def steps(
        passes: Any, batches: Any, layout: Any, space: Any, movement: Any, records: Any
    ) -> tuple[int, int]:
        batches, layout, space = unowned(batches), unowned(layout), unowned(space)
        movement, records = unowned(movement), unowned(records)
        depth, parameters = layout.sizes.size - 1, movement.parameters
        classes = layout.sizes[depth]
        total = records.losses.size
        first_recorded = total - records.recorded
        find_peaks(layout, parameters, space.peaks)
        for step in range(total):
            kind = 0 if step >= first_recorded else 1
            record = records.statistics[max(0, step - first_recorded)]
            row = records.rows[step]
            begin = step * batches.batch_size
            chosen = batches.order[begin : begin + batches.batch_size]
            layer = ahead(
                *(passes, batches, layout, space, parameters, records, record, chosen, kind, row)
            )
            if layer < depth:
                return step, layer

            here = layout.places[depth]
            _loss(
                passes.loss,
                as_rows(space.inputs[here:], chosen.size, classes),
                space.labels[: chosen.size],
                as_rows(space.slopes[here:], chosen.size, classes),
                movement.gradients[parameters.size - classes :],
                space.scores,
            )
            records.losses[step] = space.scores[0]
            records.correct[step] = int(space.scores[1])
            back(passes, layout, space, parameters, movement.gradients, chosen.size)
            if movement.clip_norm > 0.0:
                layer = clip(passes, layout, space, movement)
                if layer >= 0:
                    return step, layer
            factors = movement.factors[step]
            layer = move(*(passes, layout, space, movement, records, record, factors, kind, row))
            if layer >= 0:
                return step, layer
        return total, 0

    return steps


# Numba keys the cache by what a closure holds, and a jitted function is another in each process:
# held directly, the two would have the loop compiled anew every time


@portable
def _forward(*arguments: Any) -> None:
    forward(*arguments)


@portable
def _backward(*arguments: Any) -> None:
    backward(*arguments)


_steps = jit(
    _epoch(peaks(largest), forward_sweep(gather, _forward, add), backward_sweep(_backward))
)


def _forward_reference(
    addresses: Any, activation: Activation, x: Any, weights: Any, bias: Any, slopes: Any, *rest: Any
) -> None:
    _, a, _, totals, verdict = rest
    dense_forward_reference(
        activation, x, weights, bias, slopes, a.reshape(slopes.shape), totals, verdict
    )


def _backward_reference(addresses: Any, zeros: Any, room: Any, *arguments: Any) -> None:
    dense_backward_reference(*arguments)


_reference_steps = _epoch(
    peaks(largest_reference),
    forward_sweep(gather_reference, _forward_reference, add_reference),
    backward_sweep(_backward_reference),
)


def work_size(sizes: Any, batch_size: int) -> int:
    """Return how many elements of work space an epoch needs: inputs and slopes of every layer."""
    return 2 * batch_size * int(np.sum(sizes))


def _reference_passes(
    dtype: np.dtype[Any], activation: Activation, optimizer: Optimizer, *needed: Any
) -> Passes:
    def updating(*arguments: Any) -> None:
        update_reference(optimizer, *arguments)

    return Passes(
        (activation, activation),
        (_LINEAR, _LINEAR),
        (updating, updating),
        softmax_cross_entropy_reference,
        squared_norm_reference,
        histogram_reference,
        blas(dtype),
    )


def _compiled_passes(
    dtype: np.dtype[Any],
    activation: Activation,
    optimizer: Optimizer,
    clips: bool,
    counts: bool,
    records: tuple[bool, bool],
) -> Passes:
    def both(family: Family, pass_of: Function, record: Any) -> tuple[Any, Any]:
        # where only one kind runs, it stands for the other, which then is not compiled
        kinds = [
            measured for measured, needed in zip((True, False), records, strict=True) if needed
        ]
        found = [family.address(pass_of(record, measured), dtype) for measured in kinds]
        return found[0], found[-1]

    return Passes(
        both(ACTIVATE, activation_pass, activation),
        both(ACTIVATE, activation_pass, _LINEAR),
        both(UPDATE, update_pass, optimizer),
        LOSS.address(softmax_cross_entropy, dtype),
        SQUARED_NORM.address(squared_norm, dtype) if clips else 0,
        HISTOGRAM.address(histogram, dtype) if counts else 0,
        blas(dtype),
    )


def _descent(parameters: np.ndarray, rates: np.ndarray) -> Descent:
    optimizer = OPTIMIZERS["sgd"]
    factors = optimizer.factors(rates, 0).astype(parameters.dtype)
    return Descent(optimizer, factors, np.zeros((0, parameters.size), parameters.dtype))


def _kernel(steps: Function, passes_of: Callable[..., Passes]) -> Function:
    """Write the kernel's arguments once, for the loop of either backend."""

    def train_epoch(
        images: np.ndarray,
        labels: np.ndarray,
        order: np.ndarray,
        batch_size: int,
        sizes: np.ndarray,
        activation: Activation,
        parameters: np.ndarray,
        gradients: np.ndarray,
        work: np.ndarray,
        rates: np.ndarray,
        clip_norm: float,
        losses: np.ndarray,
        correct: np.ndarray,
        statistics: np.ndarray,
        descent: Descent | None = None,
        blocks: Sequence[range] = (),
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
        activation : Activation
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
            (recorded, layers, len(STATISTICS)) float64, written: of the last so many steps. At
            the end of a residual block those of the activation are of the branch, before its
            input is added.
        descent : Descent, optional
            How weights follow their gradients; plain gradient descent by default.
        blocks : sequence of range
            Numbers, from 0, of the layers of each residual block.
        histograms : Histograms, optional
            Which to take, and where they go.

        Returns
        -------
        tuple of int
            (steps done, layer): fewer steps than asked for when a magnitude reached
            `initperf.jit.magnitudes.LIMITS`, infinity or NaN; in that layer, counted from 0, first.
        """
        descent = descent or _descent(parameters, rates)
        layout, recorded = Layout.of(sizes, batch_size, blocks), len(statistics)
        needed = clip_norm > 0.0, histograms is not None, (recorded > 0, recorded < len(losses))
        passes = passes_of(images.dtype, activation, descent.optimizer, *needed)
        histograms = histograms or Histograms.of(np.zeros(len(losses), np.bool_), len(sizes) - 1)
        rows = statistics if recorded else np.zeros((1, *statistics.shape[1:]))
        clipped = clip_norm, descent.clip_globally
        layered = descent.by_layer(len(sizes) - 1)
        slots, memories = len(descent.memories), descent.memories.reshape(-1)
        # the compiled loop never warns; plain Python would of every overflow
        with np.errstate(over="ignore", invalid="ignore"):
            done, layer = steps(
                passes,
                Batches(images, labels, order, batch_size),
                layout,
                Space.of(work, layout, batch_size),
                Movement(
                    parameters, gradients, memories, slots, descent.factors, *clipped, *layered
                ),
                Records(losses, correct, rows, recorded, *histograms),
            )
        return int(done), int(layer)

    return train_epoch


train_epoch_reference = _kernel(_reference_steps, _reference_passes)
train_epoch = _kernel(_steps, _compiled_passes)


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for hidden, clip_norm, blocks in (
            ((7,), 0.0, ()),
            ((9, 5), 0.5, ()),
            ((6, 6, 6), 0.0, (range(1, 2), range(2, 3))),
            ((6, 5, 6, 6), 0.0, (range(1, 3),)),
        ):

            def arguments(
                dtype: str = dtype,
                hidden: tuple[int, ...] = hidden,
                clip_norm: float = clip_norm,
                blocks: tuple[range, ...] = blocks,
            ) -> tuple[Any, ...]:
                rng, activation = np.random.default_rng(1), ACTIVATIONS["relu"]
                sizes = np.array([11, *hidden, 4])
                images = rng.standard_normal((23, 11)).astype(dtype)
                labels = rng.integers(0, 4, 23)
                count = int(np.sum((sizes[:-1] + 1) * sizes[1:]))
                parameters = (0.5 * rng.standard_normal(count)).astype(dtype)
                rates, batch_size = np.array([0.1, 0.05, 0.2]), 8
                return (
                    *(
                        images,
                        labels,
                        rng.permutation(23),
                        batch_size,
                        sizes,
                        activation,
                        parameters,
                    ),
                    np.zeros_like(parameters),
                    np.zeros(work_size(sizes, batch_size), dtype),
                    *(rates, clip_norm, np.zeros(3), np.zeros(3, np.int64)),
                    np.zeros((3, len(sizes) - 1, len(STATISTICS))),
                    None,
                    blocks,
                )

            # three steps through the layers and back, sums of at most 23 terms
            tolerance = 3 * 2 * (len(hidden) + 1) * 23 * float(np.finfo(dtype).eps)
            label = f"{dtype}-{len(hidden)}-clip-{clip_norm:g}-blocks-{len(blocks)}"
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
                *(images, labels, order, batch, sizes, ACTIVATIONS["relu"], parameters),
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
