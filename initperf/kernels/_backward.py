"""Backward pass: the gradients of all layers (Rumelhart, Hinton & Williams 1986)."""

from initperf.jit.policy import portable
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._passes import Passes
from initperf.kernels._scratch import Scratch
from initperf.kernels.dense_backward import BACKWARD, BackwardArrays
from initperf.kernels.softmax_cross_entropy import LOSS

_loss, _backward = LOSS.call, BACKWARD.call


@portable
def loss_pass(passes: Passes, buffers: Buffers, scratch: Scratch, rows: int) -> None:
    """Write loss and right predictions to the scores, and the gradients by logits and last biases.

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
    """Write the gradients of all layers but the last biases', from the last layer to the first.

    A layer's products give the gradient by its inputs, and with it the biases of the layer below.

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
        _backward(passes.backward, arrays, passes.blas, scratch.small)
