"""Addresses of the compiled functions that the training loop calls.

The loop is compiled once for each dtype. What differs between trainings, the activation, the
optimizer's rule, whether statistics are taken, is not compiled into it: each combination is a
*variant* of a kernel, a function of its own, whose address is passed to the loop and called
through `initperf.jit.address.Family`. The products of a layer are called so too, because
evaluations need them as well. A new optimizer compiles one small function instead of the whole
loop, ten activations do not make ten loops, and only what a training can use is compiled.
Where the compiler is disabled, the functions stand for their own addresses.
"""

from typing import Any, NamedTuple

import numpy as np

from initperf.activations import ACTIVATIONS
from initperf.jit.address import Family
from initperf.jit.blas import blas
from initperf.jit.policy import Function, portable
from initperf.kernels._epoch_arguments import Descent, Network, Records
from initperf.kernels._losses import LOSS, loss_variant
from initperf.kernels.activate import ACTIVATE, activation_variant
from initperf.kernels.dense_backward import BACKWARD, backward
from initperf.kernels.dense_forward import FORWARD, forward
from initperf.kernels.histogram import HISTOGRAM, histogram
from initperf.kernels.squared_norm import SQUARED_NORM, squared_norm
from initperf.kernels.update import UPDATE, update_variant


class Callees(NamedTuple):
    """Addresses of the functions that the loop calls; 0 for one that is not needed.

    Attributes
    ----------
    hidden, linear, update : tuple of int
        Two variants each, for steps with statistics and for others: the activation of hidden
        layers, that of linear layers, and the optimizer's update. See `chosen_variant`.
    loss : int
        The kernel of the descent's loss.
    forward, backward, norm, histogram : int
        Kernels of one variant.
    blas : tuple of int
        See `initperf.jit.blas.blas`.
    """

    hidden: tuple[Any, Any]
    linear: tuple[Any, Any]
    update: tuple[Any, Any]
    forward: Any
    backward: Any
    loss: Any
    norm: Any
    histogram: Any
    blas: Any

    @classmethod
    def of(cls, network: Network, descent: Descent, records: Records) -> "Callees":
        """Return the callees of a training, compiling those that it is the first to need.

        Parameters
        ----------
        network, descent, records
            The arguments of `initperf.kernels.train_epoch`.
        """
        dtype = network.parameters.dtype
        compiled = {
            name: family.address(function, dtype)
            for name, (family, function) in needed_callees(network, descent, records).items()
        }
        recorded, other = _measured(records)
        return cls(
            hidden=(compiled["hidden", recorded], compiled["hidden", other]),
            linear=(compiled["linear", recorded], compiled["linear", other]),
            update=(compiled["update", recorded], compiled["update", other]),
            forward=compiled["forward", False],
            backward=compiled["backward", False],
            loss=compiled["loss", False],
            norm=compiled.get(("norm", False), 0),
            histogram=compiled.get(("histogram", False), 0),
            blas=blas(dtype),
        )

    @classmethod
    def none(cls, dtype: np.dtype[Any]) -> "Callees":
        """Return the callees of a training of no step, for which none is compiled."""
        return cls((0, 0), (0, 0), (0, 0), 0, 0, 0, 0, 0, blas(dtype))


def _measured(records: Records) -> tuple[bool, bool]:
    """Return which variants stand for recorded steps and for other steps: measuring ones or not.

    Usually (True, False). Where no step is recorded, or each is, the one variant that is needed
    stands in both places, and the other is not compiled.
    """
    recorded = len(records.statistics)
    return recorded > 0, 0 < recorded == len(records.losses)


def needed_callees(
    network: Network, descent: Descent, records: Records
) -> dict[tuple[str, bool], tuple[Family, Function]]:
    """Return the callees of a training that have to be compiled.

    Parameters
    ----------
    network, descent, records
        The arguments of `initperf.kernels.train_epoch`.

    Returns
    -------
    dict
        The family of each, and the function; by the field of `Callees`, and whether statistics are
        taken.
    """
    memories, linear = len(descent.memories), ACTIVATIONS["linear"]
    found: dict[tuple[str, bool], tuple[Family, Function]] = {
        ("forward", False): (FORWARD, forward),
        ("backward", False): (BACKWARD, backward),
        ("loss", False): (LOSS, loss_variant(descent.loss)),
    }
    for measured in _measured(records):
        found["hidden", measured] = ACTIVATE, activation_variant(network.activation, measured)
        found["linear", measured] = ACTIVATE, activation_variant(linear, measured)
        found["update", measured] = UPDATE, update_variant(descent.rule, memories, measured)
    if descent.clip_norm > 0.0:
        found["norm", False] = SQUARED_NORM, squared_norm
    if records.histograms is not None:
        found["histogram", False] = HISTOGRAM, histogram
    return found


@portable
def chosen_variant(pair: tuple[Any, Any], statistics: np.ndarray) -> Any:
    """Return the variant for a step: the first of a pair if it is recorded, else the second.

    Parameters
    ----------
    pair : tuple of int
        See `Callees`.
    statistics : numpy.ndarray
        Where the step's statistics go; without an element in a step that is not recorded, see
        `initperf.kernels._measuring.statistics_of`.
    """
    return pair[0 if statistics.size > 0 else 1]
