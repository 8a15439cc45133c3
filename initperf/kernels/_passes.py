"""Addresses of the compiled functions that the training loop calls.

The loop is compiled once for each dtype. What differs between trainings, the activation, the
optimizer's rule, whether statistics are taken, is not compiled into it: each combination is a
function of its own, a *pass*, which the loop is handed the address of and calls through
`initperf.jit.address.Family`. The products of a layer are called so too, because evaluations need
them as well. A new optimizer compiles one small function instead of the whole loop, ten
activations do not make ten loops, and only what a training can use is compiled.
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
from initperf.kernels.dense_backward import BACKWARD, backward
from initperf.kernels.dense_forward import FORWARD, forward
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
    forward, backward, loss, norm, histogram : int
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
    def of(cls, network: Network, descent: Descent, records: Records) -> "Passes":
        """Return the passes of a training, compiling those that it is the first to need.

        Parameters
        ----------
        network, descent, records
            The arguments of `initperf.kernels.train_epoch`.
        """
        dtype, kinds = network.parameters.dtype, _kinds(records)
        compiled = {
            name: family.address(function, dtype)
            for name, (family, function) in needed_passes(network, descent, records).items()
        }
        with_statistics, without = kinds
        return cls(
            hidden=(compiled["hidden", with_statistics], compiled["hidden", without]),
            linear=(compiled["linear", with_statistics], compiled["linear", without]),
            update=(compiled["update", with_statistics], compiled["update", without]),
            forward=compiled["forward", False],
            backward=compiled["backward", False],
            loss=compiled["loss", False],
            norm=compiled.get(("norm", False), 0),
            histogram=compiled.get(("histogram", False), 0),
            blas=blas(dtype),
        )

    @classmethod
    def none(cls, dtype: np.dtype[Any]) -> "Passes":
        """Return the passes of a training of no step, for which none is compiled."""
        return cls((0, 0), (0, 0), (0, 0), 0, 0, 0, 0, 0, blas(dtype))


def _kinds(records: Records) -> tuple[bool, bool]:
    """Return whether the pass for steps with statistics takes them, and that for other steps.

    Where all steps are of one kind, its pass stands for the other, which is not compiled.
    """
    recorded = len(records.statistics)
    return recorded > 0, 0 < recorded == len(records.losses)


def needed_passes(
    network: Network, descent: Descent, records: Records
) -> dict[tuple[str, bool], tuple[Family, Function]]:
    """Return the passes of a training that have to be compiled.

    Parameters
    ----------
    network, descent, records
        The arguments of `initperf.kernels.train_epoch`.

    Returns
    -------
    dict
        The family of each, and the function; by the field of `Passes`, and whether statistics are
        taken.
    """
    memories, linear = len(descent.memories), ACTIVATIONS["linear"]
    found: dict[tuple[str, bool], tuple[Family, Function]] = {
        ("forward", False): (FORWARD, forward),
        ("backward", False): (BACKWARD, backward),
        ("loss", False): (LOSS, softmax_cross_entropy),
    }
    for kind in _kinds(records):
        found["hidden", kind] = ACTIVATE, activation_pass(network.activation, kind)
        found["linear", kind] = ACTIVATE, activation_pass(linear, kind)
        found["update", kind] = UPDATE, update_pass(descent.rule, memories, kind)
    if descent.clip_norm > 0.0:
        found["norm", False] = SQUARED_NORM, squared_norm
    if records.histograms is not None:
        found["histogram", False] = HISTOGRAM, histogram
    return found


@portable
def chosen_pass(pair: tuple[Any, Any], statistics: np.ndarray) -> Any:
    """Return the pass that takes statistics where there is room for them, else the other."""
    return pair[0 if statistics.size > 0 else 1]
