"""Forward pass of a batch through all layers (Rumelhart, Hinton & Williams 1986)."""

import numpy as np

from initperf.jit.policy import portable
from initperf.jit.views import as_row
from initperf.kernels._callees import Callees, chosen_variant
from initperf.kernels._epoch_arguments import Batches, Records
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._measuring import ACTIVATION, statistics_of, take_histogram
from initperf.kernels._scratch import Scratch
from initperf.kernels.dense_forward import FORWARD, ForwardArrays
from initperf.kernels.update import UPDATE_STATISTICS

_FIRST = len(UPDATE_STATISTICS)  # column of the activation's statistics, after the update's

_forward = FORWARD.call


@portable
def gather(batches: Batches, chosen: np.ndarray, x: np.ndarray, targets: np.ndarray) -> None:
    """Copy the images and the targets of a batch.

    Parameters
    ----------
    batches : Batches
    chosen : numpy.ndarray
        (rows,) int64, the numbers of the images.
    x, targets : numpy.ndarray
        (rows, features) and (rows, columns), written.
    """
    for i in range(chosen.size):
        image, row = batches.images[chosen[i]], x[i]
        for j in range(row.size):
            row[j] = image[j]
        for j in range(targets.shape[1]):
            targets[i, j] = batches.targets[chosen[i], j]


@portable
def _add(a: np.ndarray, x: np.ndarray) -> None:
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] += x[i, j]


@portable
def forward_pass(
    callees: Callees, buffers: Buffers, scratch: Scratch, records: Records, step: int, rows: int
) -> int:
    """Write the outputs and slopes of all layers, from the first to the last.

    Parameters
    ----------
    callees : Callees
    buffers : Buffers
        The inputs of layer 0 are the batch.
    scratch : Scratch
    records : Records
    step, rows : int
        The step's number, from 0, and the images of its batch.

    Returns
    -------
    int
        The first layer whose pre-activations diverge, after which none is computed; -1 for none.
    """
    for number in range(layer_count(buffers)):
        layer = layer_of(buffers, number, rows)
        statistics = statistics_of(records, step, number)[_FIRST:]
        arrays = ForwardArrays(
            x=layer.inputs,
            weights=layer.weights,
            biases=layer.biases,
            slopes=layer.slopes,
            outputs=layer.outputs,
            seen=scratch.seen[: layer.biases.size],
        )
        activation = callees.linear if buffers.linear[number] else callees.hidden
        address = chosen_variant(activation, statistics)
        _forward(callees.forward, arrays, callees.blas, address, statistics, scratch.verdict)
        if scratch.verdict[0] > 0.0:
            return number
        take_histogram(callees, records, step, number, ACTIVATION, as_row(layer.outputs))
        if buffers.added[number] >= 0:
            _add(layer.outputs, layer_of(buffers, buffers.added[number], rows).inputs)
    return -1
