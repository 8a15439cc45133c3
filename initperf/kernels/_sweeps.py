"""A batch's way forward through all layers, and its gradient's way back.

Rumelhart, Hinton & Williams 1986. Each sweep is written once, over the kernels of either backend.
"""

from typing import Any

import numpy as np

from initperf.jit.policy import Function, portable
from initperf.jit.views import as_rows
from initperf.kernels.activate import TOTALS
from initperf.kernels.histogram import HISTOGRAM
from initperf.kernels.update import UPDATES

STATISTICS = (*UPDATES, *TOTALS)
"""Columns of a layer's record."""

_MEASURED = len(UPDATES)

_count = HISTOGRAM.call


def gather_reference(images: Any, labels: Any, chosen: Any, x: Any, batch_labels: Any) -> None:
    """Write the chosen images and labels."""
    np.take(images, chosen, axis=0, out=x)
    batch_labels[: chosen.size] = labels[chosen]


@portable
def gather(images: Any, labels: Any, chosen: Any, x: Any, batch_labels: Any) -> None:
    """Write the chosen images and labels."""
    for i in range(chosen.size):
        image, row = images[chosen[i]], x[i]
        for j in range(row.size):
            row[j] = image[j]
        batch_labels[i] = labels[chosen[i]]


def add_reference(a: Any, x: Any) -> None:
    """Add a matrix to another."""
    a += x


@portable
def add(a: Any, x: Any) -> None:
    """Add a matrix to another."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] += x[i, j]


def forward_sweep(gather: Function, forward: Function, add: Function) -> Function:
    """Return the way of a batch to its logits, which ends early at a layer that diverges."""

    @portable
    def sweep(
        passes: Any,
        batches: Any,
        layout: Any,
        space: Any,
        parameters: Any,
        records: Any,
        record: Any,
        chosen: Any,
        kind: int,
        row: int,
    ) -> int:
        sizes, depth, rows = layout.sizes, layout.sizes.size - 1, chosen.size
        x = as_rows(space.inputs, rows, sizes[0])
        gather(batches.images, batches.labels, chosen, x, space.labels)
        for layer in range(depth):
            fan_in, fan_out = sizes[layer], sizes[layer + 1]
            at, here = layout.starts[layer], layout.places[layer + 1]
            end, there = at + fan_in * fan_out, here + rows * fan_out
            a, slopes = space.inputs[here:there], space.slopes[here:there]
            forward(
                passes.blas,
                passes.linear[kind] if layout.linear[layer] else passes.hidden[kind],
                x,
                as_rows(parameters[at:], fan_in, fan_out),
                parameters[end : end + fan_out],
                as_rows(slopes, rows, fan_out),
                slopes,
                a,
                space.seen[:fan_out],
                record[layer, _MEASURED:] if kind == 0 else space.nothing,
                space.verdict,
            )
            if space.verdict[0] > 0.0:
                return layer
            if row >= 0:
                _count(
                    passes.histogram,
                    a,
                    records.bounds[row, layer, 0],
                    records.counts[row, layer, 0],
                )
            x = as_rows(a, rows, fan_out)
            if layout.begins[layer] >= 0:
                into = layout.places[layout.begins[layer]]
                add(x, as_rows(space.inputs[into:], rows, fan_out))
        return int(depth)

    return sweep


def backward_sweep(backward: Function) -> Function:
    """Return the way of the gradient from the logits, written where their slopes were, down."""

    @portable
    def sweep(
        passes: Any, layout: Any, space: Any, parameters: Any, gradients: Any, rows: int
    ) -> None:
        sizes, depth = layout.sizes, layout.sizes.size - 1
        here, fan_out = layout.places[depth], sizes[depth]
        delta = as_rows(space.slopes[here:], rows, fan_out)
        for layer in range(depth - 1, -1, -1):
            fan_in, fan_out = sizes[layer], sizes[layer + 1]
            at, here = layout.starts[layer], layout.places[layer]
            x = as_rows(space.inputs[here:], rows, fan_in)
            below = as_rows(space.slopes[here:], rows, fan_in)
            biases = max(0, at - fan_in)  # those of the layer below; in the first, left alone
            # by then the inputs of the layers above are the gradients by them
            after = layout.places[max(0, layout.follows[layer])]
            backward(
                passes.blas,
                space.zeros,
                space.room,
                x,
                as_rows(parameters[at:], fan_in, fan_out),
                delta,
                as_rows(gradients[at:], fan_in, fan_out),
                below,
                gradients[biases : biases + fan_in],
                as_rows(space.inputs[after:], rows, fan_in),
                layout.follows[layer] >= 0,
                layer == 0,
            )
            delta = below

    return sweep
