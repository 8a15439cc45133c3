"""One epoch of mini-batch gradient descent on a multilayer perceptron, with all statistics.

The reference is plain NumPy and shares nothing with the compiled twin but the arguments, the
optimizer's rule, the activation's function and the limits of divergence. The twin does not stop
between steps: gather, forward pass, loss, backward pass, clipping and update, each with the
statistics of the data that it reads anyway.

A step, function by function; the arrays are those of `Buffers`, drawn in `_layer`, and `Scratch`::

    function        reads                             writes
    gather          images, labels, order             inputs of layer 0, labels
    forward_pass    inputs, parameters                outputs and slopes of all layers
    take_loss       logits, labels                    scores, delta of the last layer
    backward_pass   delta, inputs, slopes, weights    gradients; deltas over slopes
    clip            gradients                         scales
    update_layers   gradients, scales, factors        parameters, memories, peaks

Where to read what: `_epoch_arguments` has the records that both take, `_layer` the layout of the
flat arrays, `_scratch` the small arrays, `_callees` why kernels are called by address; `_forward`,
`_backward`, `_clipping` and `_updating` each have one part of a step, `_measuring` where statistics
go.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from initperf.jit.policy import jit
from initperf.jit.views import unowned
from initperf.kernels._backward import backward_pass, take_loss
from initperf.kernels._callees import Callees, needed_callees
from initperf.kernels._clipping import clip
from initperf.kernels._epoch_arguments import (
    STATISTICS,
    Batches,
    Descent,
    Histograms,
    Network,
    Records,
    work_size,
)
from initperf.kernels._epoch_cases import cases, loads
from initperf.kernels._epoch_reference import train_epoch_reference
from initperf.kernels._forward import forward_pass, gather
from initperf.kernels._kernel import register
from initperf.kernels._layer import Buffers, layer_of
from initperf.kernels._losses import as_matrix, evaluate_loss
from initperf.kernels._scratch import Scratch
from initperf.kernels._updating import DescentArrays, find_peaks, update_layers

__all__ = [
    "STATISTICS",
    "Batches",
    "Descent",
    "Histograms",
    "Network",
    "Records",
    "compilations",
    "evaluate_loss",
    "train_epoch",
    "train_epoch_reference",
    "work_size",
]


@jit
def _steps(
    callees: Any, batches: Any, buffers: Any, scratch: Any, descent: Any, records: Any
) -> tuple[int, int]:
    """Train; see the reference for what is returned."""
    # an array without an owner is not counted at each of the many views of it
    batches, buffers, scratch = unowned(batches), unowned(buffers), unowned(scratch)
    descent, records = unowned(descent), unowned(records)
    find_peaks(buffers, scratch)
    for step in range(records.losses.size):
        begin = step * batches.batch_size
        chosen = batches.order[begin : begin + batches.batch_size]
        rows = chosen.size
        gather(batches, chosen, layer_of(buffers, 0, rows).inputs, scratch.targets)
        trouble = forward_pass(callees, buffers, scratch, records, step, rows)
        if trouble >= 0:
            return step, trouble
        take_loss(callees, buffers, scratch, rows)
        records.losses[step] = scratch.scores[0]
        records.scores[step] = scratch.scores[1]
        backward_pass(callees, buffers, scratch, rows)
        if descent.clip_norm > 0.0:
            trouble = clip(callees, buffers, scratch, descent.clip_norm, descent.clip_globally)
            if trouble >= 0:
                return step, trouble
        trouble = update_layers(callees, buffers, scratch, descent, records, step)
        if trouble >= 0:
            return step, trouble
    return records.losses.size, 0


def train_epoch(
    network: Network, batches: Batches, descent: Descent, records: Records
) -> tuple[int, int]:
    """Train for one epoch; see the reference."""
    return _run(Callees.of(network, descent, records), network, batches, descent, records)


def _run(
    callees: Callees, network: Network, batches: Batches, descent: Descent, records: Records
) -> tuple[int, int]:
    if records.histograms is None:  # compiled code has one type of records
        records = records._replace(histograms=Histograms.none(len(records.losses)))
    with np.errstate(over="ignore", invalid="ignore"):  # for where the compiler is disabled
        batches = batches._replace(targets=as_matrix(batches.targets, network.parameters.dtype))
        done, layer = _steps(
            callees,
            batches,
            Buffers.of(network, descent, batches.batch_size),
            Scratch.of(network, batches),
            DescentArrays.of(network, descent),
            records,
        )
    return int(done), int(layer)


def compilations(
    network: Network, batches: Batches, descent: Descent, records: Records
) -> dict[tuple[str, bool], Callable[[], Any]]:
    """Return calls that compile what an epoch needs, each a part, in any order.

    Parameters
    ----------
    network, batches, descent, records
        The arguments of `train_epoch`.

    Returns
    -------
    dict
        By name, and whether the part takes statistics. The first takes the longest.
    """
    dtype = network.parameters.dtype
    no_step = Records.of(0, len(network.sizes) - 1)
    loop = partial(_run, Callees.none(dtype), network, batches, descent, no_step)
    return {("loop", False): loop} | {
        name: partial(family.address, function, dtype)
        for name, (family, function) in needed_callees(network, descent, records).items()
    }


register("train_epoch", numpy=train_epoch_reference, numba=train_epoch, cases=cases, loads=loads)
