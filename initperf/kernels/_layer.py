"""Flat buffers of the compiled training loop, and the views of one layer in them.

Drawn for a network of widths (s0, s1, s2), which has layers 0 and 1, and batches of b images.
Parameters, gradients and the optimizer's memories, ``first`` and ``second``, are laid out alike::

    starts[0] = 0              starts[1]                  starts[2]
    |-------- layer 0 ---------|-------- layer 1 ---------|
    | weights      | biases    | weights      | biases    |
      s0 x s1        s1          s1 x s2        s2

The work space has two halves, laid out alike too, each with a place for every layer's input and
one for the logits::

    inputs   | images         | outputs of 0   | outputs of 1, the logits |
    slopes   | (not used)     | slopes of 0    | slopes of 1              |
               b x s0           b x s1           b x s2
             places[0] = 0    places[1]        places[2]

A batch of fewer images fills the beginning of each place. The outputs of a layer are the inputs of
the next. The forward pass writes z to ``slopes``, then f(z) to ``inputs`` and f'(z) over z. The
backward pass goes down and overwrites both: the slopes of a layer with its delta, the gradient of
the loss by z, and the inputs of a layer with the gradient by them. So a place means, in turn::

    place 1 of    after the forward pass    after the backward pass
    slopes        f'(z) of layer 0          delta of layer 0
    inputs        f(z) of layer 0           gradient by the outputs of layer 0

The images, the inputs of layer 0, and the logits are left as they are.
"""

from typing import Any, NamedTuple

import numpy as np

from initperf.jit.policy import portable
from initperf.jit.views import as_rows
from initperf.kernels._epoch_arguments import Descent, Network


class Buffers(NamedTuple):
    """Flat arrays of a network, and where its layers are in them.

    Attributes
    ----------
    sizes, starts, places : numpy.ndarray
        (layers + 1,) int64: widths, and the offsets drawn above.
    linear : numpy.ndarray
        (layers,) bool, whether a layer has no activation.
    added : numpy.ndarray
        (layers,) int64: for the last layer of a residual block, the number of the block's first
        layer, whose input is added to the output of this one; -1 for other layers.
    after : numpy.ndarray
        (layers,) int64: for the first layer of a residual block, the number of the layer that
        follows the block; -1 for other layers.
    parameters, gradients : numpy.ndarray
        (count,), the network's.
    first, second : numpy.ndarray
        (count,), the optimizer's memories; without an element where the rule keeps none.
    inputs, slopes : numpy.ndarray
        The halves of the work space.
    """

    sizes: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    linear: np.ndarray
    added: np.ndarray
    after: np.ndarray
    parameters: np.ndarray
    gradients: np.ndarray
    first: np.ndarray
    second: np.ndarray
    inputs: np.ndarray
    slopes: np.ndarray

    @classmethod
    def of(cls, network: Network, descent: Descent, batch_size: int) -> "Buffers":
        """Lay out a network.

        Parameters
        ----------
        network : Network
        descent : Descent
            Holds the optimizer's memories.
        batch_size : int
            Images of the largest batch.
        """
        sizes, half = network.sizes, network.work.size // 2
        starts, places = np.zeros((2, len(sizes)), np.int64)
        np.cumsum((sizes[:-1] + 1) * sizes[1:], out=starts[1:])
        np.cumsum(batch_size * sizes[:-1], out=places[1:])
        linear = np.arange(1, len(sizes)) == len(sizes) - 1
        added, after = np.full((2, len(linear)), -1)
        for block in network.blocks:
            linear[block[-1]] = len(block) > 1
            added[block[-1]], after[block[0]] = block.start, block.stop
        none = network.parameters[:0]
        return cls(
            sizes=sizes,
            starts=starts,
            places=places,
            linear=linear,
            added=added,
            after=after,
            parameters=network.parameters,
            gradients=network.gradients,
            first=descent.memories[0] if len(descent.memories) > 0 else none,
            second=descent.memories[1] if len(descent.memories) > 1 else none,
            inputs=network.work[:half],
            slopes=network.work[half:],
        )


class Layer(NamedTuple):
    """Views of one layer.

    Attributes
    ----------
    parameters, gradient, first, second : numpy.ndarray
        1-D: weights, then biases; their gradient; the optimizer's memories of them, without an
        element where it keeps none.
    weights, weight_gradient : numpy.ndarray
        (fan_in, fan_out), C order.
    biases, bias_gradient : numpy.ndarray
        (fan_out,).
    inputs : numpy.ndarray
        (rows, fan_in), C order; after the backward pass, the gradient by them.
    outputs : numpy.ndarray
        (rows, fan_out), C order.
    slopes : numpy.ndarray
        (rows, fan_out), C order; after the backward pass, the gradient by z.
    """

    parameters: np.ndarray
    gradient: np.ndarray
    first: np.ndarray
    second: np.ndarray
    weights: np.ndarray
    weight_gradient: np.ndarray
    biases: np.ndarray
    bias_gradient: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    slopes: np.ndarray


@portable
def layer_of(buffers: Buffers, number: int, rows: int) -> Layer:
    """Return the views of a layer; those that a caller does not use cost nothing when compiled.

    Parameters
    ----------
    buffers : Buffers
    number : int
        The layer's, from 0.
    rows : int
        Images of the batch; 0 for callers that use parameters and gradients only.
    """
    fan_in, fan_out = buffers.sizes[number], buffers.sizes[number + 1]
    start, stop = buffers.starts[number], buffers.starts[number + 1]
    below, here = buffers.places[number], buffers.places[number + 1]
    parameters, gradient = buffers.parameters[start:stop], buffers.gradients[start:stop]
    count = fan_in * fan_out
    return Layer(
        parameters=parameters,
        gradient=gradient,
        first=buffers.first[start:stop],
        second=buffers.second[start:stop],
        weights=as_rows(parameters, fan_in, fan_out),
        weight_gradient=as_rows(gradient, fan_in, fan_out),
        biases=parameters[count:],
        bias_gradient=gradient[count:],
        inputs=as_rows(buffers.inputs[below:], rows, fan_in),
        outputs=as_rows(buffers.inputs[here:], rows, fan_out),
        slopes=as_rows(buffers.slopes[here:], rows, fan_out),
    )


@portable
def layer_count(buffers: Any) -> int:
    """Return the number of layers."""
    return buffers.sizes.size - 1  # type: ignore[no-any-return]  # an int
