"""Update of all layers by the optimizer's rule."""

from typing import Any, NamedTuple

import numpy as np

from initperf.jit.magnitudes import from_magnitude, magnitude
from initperf.jit.policy import portable, where
from initperf.jit.views import as_row
from initperf.kernels._epoch_arguments import Descent, Network, Records
from initperf.kernels._layer import Buffers, layer_count, layer_of
from initperf.kernels._measuring import GRADIENT, statistics_of, take_histogram
from initperf.kernels._passes import Passes, chosen_pass
from initperf.kernels._scratch import Scratch
from initperf.kernels.update import UPDATE, UPDATE_STATISTICS, UpdateArrays

_MEASURED = len(UPDATE_STATISTICS)

_update = UPDATE.call


class Factors(NamedTuple):
    """What the optimizer's rule and clipping are told, apart from the memories.

    Attributes
    ----------
    steps : numpy.ndarray
        (steps, factors), those of each step.
    layer_rates : numpy.ndarray
        (layers, 2), multipliers of the learning rate for each layer's weights and biases.
    layer : numpy.ndarray
        (2, factors), room for the factors of one layer's weights and biases.
    clip_norm : float
        Largest norm of a gradient; 0 for no limit.
    clip_globally : bool
        Whether the norm is that of all layers together.
    """

    steps: np.ndarray
    layer_rates: np.ndarray
    layer: np.ndarray
    clip_norm: float
    clip_globally: bool

    @classmethod
    def of(cls, network: Network, descent: Descent) -> "Factors":
        """Return the factors of a descent, with a rate of 1 for layers that have none."""
        layers, dtype = len(network.sizes) - 1, network.parameters.dtype
        rates = np.ones((layers, 2)) if descent.layer_rates is None else descent.layer_rates
        return cls(
            steps=descent.factors,
            layer_rates=np.ascontiguousarray(rates, dtype),
            layer=np.zeros((2, descent.factors.shape[1]), dtype),
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
    """Write the largest magnitude of each layer's weights, which updates then keep."""
    for number in range(layer_count(buffers)):
        scratch.peaks[number] = _largest(as_row(layer_of(buffers, number, 0).weights))


@portable
def update_layers(
    passes: Passes,
    buffers: Buffers,
    scratch: Scratch,
    factors: Factors,
    records: Records,
    step: int,
) -> int:
    """Update the parameters of all layers, from the last to the first.

    Parameters
    ----------
    passes : Passes
    buffers : Buffers
    scratch : Scratch
        Holds the scales of clipping and the peaks, which are updated.
    factors : Factors
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
        statistics = statistics_of(records, step, number)[:_MEASURED]
        for kind in range(2):
            told = factors.layer[kind]
            told[:] = factors.steps[step]
            told[0] *= factors.layer_rates[number, kind]
        arrays = UpdateArrays(
            parameters=layer.parameters,
            gradient=layer.gradient,
            first=layer.first,
            second=layer.second,
            factors=as_row(factors.layer),
            scale=scratch.scales[number],
            weights=layer.weights.size,
            peak=scratch.peaks[number : number + 1],
            statistics=statistics,
            verdict=scratch.verdict,
        )
        _update(chosen_pass(passes.update, statistics), arrays)
        if scratch.verdict[0] > 0.0:
            return number
        gradient = as_row(layer.weight_gradient)
        take_histogram(passes, records, step, number, GRADIENT, gradient)
    return -1
