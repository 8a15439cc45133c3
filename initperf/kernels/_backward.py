"""Backward pass: the gradients of all layers (Rumelhart, Hinton & Williams 1986)."""

from initperf.jit.policy import portable
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._passes import Passes
from initperf.kernels._scratch import Scratch
from initperf.kernels.dense_backward import BackwardArrays, backward
from initperf.kernels.softmax_cross_entropy import LOSS

_loss = LOSS.call


@portable
def loss_pass(passes: Passes, buffers: Buffers, scratch: Scratch, rows: int) -> None:
    """Write loss and right predictions to the scores, and the gradient by the logits.

    Parameters
    ----------
    passes : Passes
    buffers : Buffers
    scratch : Scratch
    rows : int
        Images of the batch.
    """
    last = layer_of(buffers, layer_count(buffers) - 1, rows)
    labels = scratch.labels[:rows]
    _loss(passes.loss, last.outputs, labels, last.slopes, last.bias_gradient, scratch.scores)


@portable
def backward_pass(passes: Passes, buffers: Buffers, scratch: Scratch, rows: int) -> None:
    """Write the gradients of all layers, from the last to the first.

    Parameters
    ----------
    passes : Passes
    buffers : Buffers
        The slopes of the last layer are the gradient by the logits.
    scratch : Scratch
    rows : int
        Images of the batch.
    """
    for number in range(layer_count(buffers) - 1, -1, -1):
        layer = layer_of(buffers, number, rows)
        # no rows stand for "none": the first layer has none below, most layers begin no block
        below = layer_of(buffers, max(0, number - 1), rows if number > 0 else 0)
        after = buffers.after[number]
        beyond = layer_of(buffers, max(0, after), rows if after >= 0 else 0)
        arrays = BackwardArrays(
            x=layer.inputs,
            weights=layer.weights,
            delta=layer.slopes,
            weight_gradient=layer.weight_gradient,
            slopes=below.slopes,
            bias_gradient=below.bias_gradient,
            above=beyond.inputs,  # by now the gradient by them
        )
        backward(passes.blas, scratch.small, arrays)
