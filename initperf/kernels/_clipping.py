"""Clipping of gradients by their norm (Pascanu, Mikolov & Bengio 2013)."""

import numpy as np

from initperf.jit.magnitudes import limit_squared
from initperf.jit.policy import portable
from initperf.kernels._callees import Callees
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._scratch import Scratch
from initperf.kernels.squared_norm import SQUARED_NORM

_norm = SQUARED_NORM.call


@portable
def clip(
    callees: Callees, buffers: Buffers, scratch: Scratch, largest: float, globally: bool
) -> int:
    """Write to the scales what clipping multiplies each layer's gradient by.

    Layers are taken from the last to the first, as by the update, for the same report.

    Parameters
    ----------
    callees : Callees
    buffers : Buffers
    scratch : Scratch
    largest : float
        The largest norm that is allowed.
    globally : bool
        Whether the norm is that of all layers together instead of each layer's own.

    Returns
    -------
    int
        The last layer whose gradient has a norm of `initperf.jit.magnitudes.LIMITS` or more;
        -1 for none.
    """
    scales, whole = scratch.scales, 0.0
    for number in range(layer_count(buffers) - 1, -1, -1):
        gradient = layer_of(buffers, number, 0).gradient
        _norm(callees.norm, gradient, scratch.scores)
        if not scratch.scores[0] < limit_squared(gradient):
            return number
        whole += scratch.scores[0]
        scales[number] = scratch.scores[0]  # for now the square of the norm
    for number in range(scales.size):
        size = np.sqrt(whole if globally else scales[number])
        scales[number] = largest / size if size > largest else 1.0
    return -1
