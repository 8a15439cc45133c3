"""Update of all layers by the optimizer's rule."""

from typing import Any, NamedTuple

import numpy as np

from initperf.jit.magnitudes import from_magnitude, magnitude
from initperf.jit.policy import portable, where
from initperf.jit.views import as_row
from initperf.kernels._callees import Callees, chosen_variant
from initperf.kernels._epoch_arguments import Descent, Network, Records
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._measuring import GRADIENT, statistics_of, take_histogram
from initperf.kernels._scratch import Scratch
from initperf.kernels.update import UPDATE, UPDATE_STATISTICS, UpdateArrays

_COLUMNS = len(UPDATE_STATISTICS)  # of the update, before those of the activation

_update = UPDATE.call


class DescentArrays(NamedTuple):
    """A `Descent` as compiled code takes it; the memories are in `Buffers`, the rule in `Callees`.

    Attributes
    ----------
    factors : numpy.ndarray
        (steps, factors), the optimizer's factors in each step.
    layer_rates : numpy.ndarray
        (layers, 2), multipliers of the learning rate for each layer's weights and biases.
    layer_factors : numpy.ndarray
        (2, factors), overwritten for each layer: the factors of its weights and of its biases.
    clip_norm : float
        Largest norm of a gradient; 0 for no limit.
    clip_globally : bool
        Whether the norm is that of all layers together.
    """

    factors: np.ndarray
    layer_rates: np.ndarray
    layer_factors: np.ndarray
    clip_norm: float
    clip_globally: bool

    @classmethod
    def of(cls, network: Network, descent: Descent) -> "DescentArrays":
        """Return the arrays of a descent, with rates of 1 where it has none."""
        layers, dtype = len(network.sizes) - 1, network.parameters.dtype
        rates = np.ones((layers, 2)) if descent.layer_rates is None else descent.layer_rates
        return cls(
            factors=descent.factors,
            layer_rates=np.ascontiguousarray(rates, dtype),
            layer_factors=np.zeros((2, descent.factors.shape[1]), dtype),
            clip_norm=float(descent.clip_norm),
            clip_globally=bool(descent.clip_globally),
        )


@portable
def _largest(values: Any) -> Any:
    """Return the largest magnitude."""
    highest = magnitude(values[0])
    for i in range(values.size):
        size = magnitude(values[i])
        highest = where(size > highest, size, highest)
    return from_magnitude(values, highest)


@portable
def find_peaks(buffers: Buffers, scratch: Scratch) -> None:
    """Write the largest magnitude of each layer's weights, which updates then keep up to date."""
    for number in range(layer_count(buffers)):
        scratch.peaks[number] = _largest(as_row(layer_of(buffers, number, 0).weights))


@portable
def update_layers(
    callees: Callees,
    buffers: Buffers,
    scratch: Scratch,
    descent: DescentArrays,
    records: Records,
    step: int,
) -> int:
    """Update the parameters of all layers, from the last to the first.

    Layers are independent, so the order only decides which is reported where several diverge: the
    last, as back-propagation carries a gradient that is too large from there to the layers below.

    Parameters
    ----------
    callees : Callees
    buffers : Buffers
    scratch : Scratch
        Holds the scales of clipping and the peaks, which are updated.
    descent : DescentArrays
    records : Records
    step : int
        The step's number, from 0.

    Returns
    -------
    int
        The last layer that diverges, with which the updates end; -1 for none.
    """
    for number in range(layer_count(buffers) - 1, -1, -1):
        layer = layer_of(buffers, number, 0)
        statistics = statistics_of(records, step, number)[:_COLUMNS]
        for group in range(2):  # weights, biases
            factors = descent.layer_factors[group]
            for i in range(factors.size):  # a slice's check of shapes takes a second to compile
                factors[i] = descent.factors[step, i]
            factors[0] *= descent.layer_rates[number, group]
        arrays = UpdateArrays(
            parameters=layer.parameters,
            gradient=layer.gradient,
            first=layer.first,
            second=layer.second,
            factors=as_row(descent.layer_factors),
            scale=scratch.scales[number],
            weights=layer.weights.size,
            peak=scratch.peaks[number : number + 1],
            statistics=statistics,
            verdict=scratch.verdict,
        )
        _update(chosen_variant(callees.update, statistics), arrays)
        if scratch.verdict[0] > 0.0:
            return number
        gradient = as_row(layer.weight_gradient)
        take_histogram(callees, records, step, number, GRADIENT, gradient)
    return -1
