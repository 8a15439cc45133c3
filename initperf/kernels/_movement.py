"""Clipping and updating of all layers, once their gradients are there."""

from typing import Any

import numpy as np

from initperf.jit.magnitudes import from_magnitude, magnitude
from initperf.jit.policy import Function, portable, where
from initperf.kernels.histogram import HISTOGRAM
from initperf.kernels.squared_norm import SQUARED_NORM
from initperf.kernels.update import UPDATE, UPDATES

_MEASURED = len(UPDATES)

_count, _norm, _update = HISTOGRAM.call, SQUARED_NORM.call, UPDATE.call


def largest_reference(values: Any) -> Any:
    """Return the largest magnitude."""
    return np.max(np.abs(values))


@portable
def largest(values: Any) -> Any:
    """Return the largest magnitude."""
    highest = magnitude(values[0])
    for i in range(values.size):
        size = magnitude(values[i])
        highest = where(size > highest, size, highest)
    return from_magnitude(values, highest)


def peaks(largest: Function) -> Function:
    """Return what finds the largest magnitude of each layer's weights, which updates then keep."""

    @portable
    def find(layout: Any, parameters: Any, found: Any) -> None:
        for layer in range(found.size):
            at, count = layout.starts[layer], layout.sizes[layer] * layout.sizes[layer + 1]
            found[layer] = largest(parameters[at : at + count])

    return find


@portable
def clip(passes: Any, layout: Any, space: Any, movement: Any) -> int:
    """Write what clipping leaves of each layer's gradient.

    Pascanu, Mikolov & Bengio 2013. Returns -1, or the layer whose gradient has no finite norm.
    """
    scales, whole = space.scales, 0.0
    for layer in range(scales.size - 1, -1, -1):
        gradient = movement.gradients[layout.starts[layer] : layout.starts[layer + 1]]
        _norm(passes.norm, gradient, space.scores)
        if not space.scores[0] < np.inf:
            return layer
        whole += space.scores[0]
        scales[layer] = space.scores[0]
    for layer in range(scales.size):
        size = np.sqrt(whole if movement.clip_globally else scales[layer])
        scales[layer] = movement.clip_norm / size if size > movement.clip_norm else 1.0
    return -1


@portable
def move(
    passes: Any,
    layout: Any,
    space: Any,
    movement: Any,
    records: Any,
    record: Any,
    factors: Any,
    kind: int,
    row: int,
) -> int:
    """Update all layers, from the last; returns -1, or the layer that diverges."""
    gradients, size = movement.gradients, movement.parameters.size
    told, each = movement.layer_factors, factors.size
    one, two = min(1, movement.slots), min(1, movement.slots // 2)
    for layer in range(space.peaks.size - 1, -1, -1):
        at, stop = layout.starts[layer], layout.starts[layer + 1]
        count = layout.sizes[layer] * layout.sizes[layer + 1]
        for part in range(2):
            told[part * each : (part + 1) * each] = factors
            told[part * each] *= movement.layer_rates[layer, part]
        _update(
            passes.update[kind],
            movement.parameters[at:stop],
            gradients[at:stop],
            movement.memories[one * at : one * stop],
            movement.memories[two * (size + at) : two * (size + stop)],
            told,
            space.scales[layer],
            count,
            space.peaks[layer : layer + 1],
            record[layer, :_MEASURED] if kind == 0 else space.nothing,
            space.verdict,
        )
        if space.verdict[0] > 0.0:
            return layer
        if row >= 0:
            _count(
                passes.histogram,
                gradients[at : at + count],
                records.bounds[row, layer, 1],
                records.counts[row, layer, 1],
            )
    return -1
