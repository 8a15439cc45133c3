"""Backward pass: the gradients of all layers (Rumelhart, Hinton & Williams 1986)."""

from initperf.jit.policy import portable
from initperf.jit.views import as_rows
from initperf.kernels._callees import Callees
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._losses import LOSS
from initperf.kernels._scratch import Scratch
from initperf.kernels.dense_backward import BACKWARD, BackwardArrays

_loss, _backward = LOSS.call, BACKWARD.call


@portable
def take_loss(callees: Callees, buffers: Buffers, scratch: Scratch, rows: int) -> None:
    """Compute the loss and the gradients by the logits and by the last layer's biases.

    The scores get the loss and what is scored beside it, the slopes of the last layer the
    gradient by the logits: the delta with which `backward_pass` begins.

    Parameters
    ----------
    callees : Callees
    buffers : Buffers
    scratch : Scratch
    rows : int
        Images of the batch.
    """
    last = layer_of(buffers, layer_count(buffers) - 1, rows)
    targets = as_rows(scratch.targets, rows, scratch.targets.shape[1])
    _loss(callees.loss, last.outputs, targets, last.slopes, last.bias_gradient, scratch.scores)


@portable
def backward_pass(callees: Callees, buffers: Buffers, scratch: Scratch, rows: int) -> None:
    """Write the gradients of all layers but the last biases', from the last layer to the first.

    At its turn, a layer has its delta in its slopes and writes three things: the gradient by its
    weights; over its inputs, the gradient by them; and over the slopes of the layer below, the
    delta of that layer, whose sum over the batch is the gradient by the biases below.

    The gradient by the output of a residual block also reaches the block's input past the layers
    of the block. For a block of the layers 1 and 2, where ``after[1]`` is 3::

        inputs of 3  --+-->  layer 2  -->  layer 1  --(+)-->  inputs of 1, and so layer 0
                       |                               |
                       +-------------------------------+

    The inputs of 3 are the block's output, overwritten with the gradient at the turn of layer 3.

    Parameters
    ----------
    callees : Callees
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
        _backward(callees.backward, arrays, callees.blas, scratch.small)
