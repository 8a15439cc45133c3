"""Addresses of the compiled functions that the training loop calls.

The loop is compiled once for each dtype. What differs between trainings, the activation, the
optimizer's rule, whether statistics are taken, is not compiled into it: each combination is a
function of its own, a *pass*, which the loop is handed the address of and calls through
`initperf.jit.address.Family`. So a new optimizer compiles one small function instead of the whole
loop, ten activations do not make ten loops, and nothing that a training does not use is compiled.
Where the compiler is disabled, the functions stand for their own addresses.
"""

from typing import Any, NamedTuple

import numpy as np

from initperf.activations import ACTIVATIONS
from initperf.jit.address import Family
from initperf.jit.blas import blas
from initperf.jit.policy import Function, portable
from initperf.kernels._epoch_arguments import Descent, Network, Records
from initperf.kernels.activate import ACTIVATE, activation_pass
from initperf.kernels.histogram import HISTOGRAM, histogram
from initperf.kernels.softmax_cross_entropy import LOSS, softmax_cross_entropy
from initperf.kernels.squared_norm import SQUARED_NORM, squared_norm
from initperf.kernels.update import UPDATE, update_pass


class Passes(NamedTuple):
    """Addresses of passes; 0 for one that is not needed.

    Attributes
    ----------
    hidden, linear, update : tuple of int
        With statistics, and without: the activation of hidden layers, of linear layers, and the
        optimizer's update.
    loss, norm, histogram : int
    blas : tuple of int
        See `initperf.jit.blas.blas`.
    """

    hidden: tuple[Any, Any]
    linear: tuple[Any, Any]
    update: tuple[Any, Any]
    loss: Any
    norm: Any
    histogram: Any
    blas: Any

    @classmethod
    def of(cls, network: Network, descent: Descent, records: Records) -> "Passes":
        """Return the passes of a training, compiling those that it is the first to need.

        Parameters
        ----------
        network, descent, records
            The arguments of `initperf.kernels.train_epoch`.
        """
        dtype, memories = network.parameters.dtype, len(descent.memories)
        recorded = len(records.statistics)
        # where all steps are of one kind, its pass stands for the other, which is not compiled
        kinds = (recorded > 0, 0 < recorded == len(records.losses))

        def both(family: Family, function: Function) -> tuple[Any, Any]:
            with_statistics, without = (family.address(function(kind), dtype) for kind in kinds)
            return with_statistics, without

        return cls(
            hidden=both(ACTIVATE, lambda kind: activation_pass(network.activation, kind)),
            linear=both(ACTIVATE, lambda kind: activation_pass(ACTIVATIONS["linear"], kind)),
            update=both(UPDATE, lambda kind: update_pass(descent.rule, memories, kind)),
            loss=LOSS.address(softmax_cross_entropy, dtype),
            norm=SQUARED_NORM.address(squared_norm, dtype) if descent.clip_norm > 0.0 else 0,
            histogram=HISTOGRAM.address(histogram, dtype) if records.histograms else 0,
            blas=blas(dtype),
        )


@portable
def chosen_pass(pair: tuple[Any, Any], statistics: np.ndarray) -> Any:
    """Return the pass that takes statistics where there is room for them, else the other."""
    return pair[0 if statistics.size > 0 else 1]
