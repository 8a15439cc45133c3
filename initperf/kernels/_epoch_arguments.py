"""Arguments of `initperf.kernels.train_epoch`: a network, its batches, the descent, the records.

Batches and records reach compiled code as they are. The network and the descent hold Python
objects, so it gets their arrays, as `Buffers` of `_layer` and `DescentArrays` of `_updating`, and
addresses in place of activation, rule and loss, as `Callees` of `_callees`. One dtype, float32 or
float64, is that of images, parameters, gradients, memories, factors and work space.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from initperf.activations import Activation
from initperf.jit.cache_lines import aligned_zeros
from initperf.kernels.activate import ACTIVATION_STATISTICS
from initperf.kernels.histogram import BINS
from initperf.kernels.update import UPDATE_STATISTICS
from initperf.losses import CLASSIFICATION, Loss
from initperf.optimizers import OPTIMIZERS, Optimizer

STATISTICS = (*UPDATE_STATISTICS, *ACTIVATION_STATISTICS)
"""Columns of the statistics of one layer in one step."""


class Network(NamedTuple):
    """Multilayer perceptron in flat arrays.

    Attributes
    ----------
    sizes : numpy.ndarray
        (layers + 1,) int64, widths from the input to the logits; layer i maps ``sizes[i]`` values
        to ``sizes[i + 1]``.
    activation : Activation
        Activation of the hidden layers. The last layer has none, nor has the last one of a
        residual block of two or more layers.
    blocks : tuple of range
        Numbers, from 0, of the layers of each residual block: the input of its first layer is
        added to the output of its last. None of them is the last layer of the network.
    parameters : numpy.ndarray
        (count,), updated: of each layer the weights, (fan_in, fan_out) in C order, then the
        biases.
    gradients : numpy.ndarray
        (count,), written: the gradient of the last step's loss, before clipping, in the same order.
    work : numpy.ndarray
        (`work_size`,), scratch space of the compiled twin; the contents mean nothing.
    """

    sizes: np.ndarray
    activation: Activation
    blocks: tuple[range, ...]
    parameters: np.ndarray
    gradients: np.ndarray
    work: np.ndarray


class Batches(NamedTuple):
    """Images with their targets, and the order in which they are taken.

    Attributes
    ----------
    images : numpy.ndarray
        (images, sizes[0]), in C order.
    targets : numpy.ndarray
        (images,) int64, classes from 0 to ``sizes[-1] - 1``; or for a loss of values
        (images, sizes[-1]) of the images' dtype, in C order.
    order : numpy.ndarray
        (count,) int64, the numbers of the images of one step after another.
    batch_size : int
        Images a step; the last step takes what is left.
    """

    images: np.ndarray
    targets: np.ndarray
    order: np.ndarray
    batch_size: int


class Descent(NamedTuple):
    """Optimizer, its state and its factors, the clipping of gradients, and what is minimised.

    Attributes
    ----------
    rule : callable
        ``rule(w, g, first, second, factors)``, see `initperf.optimizers.Optimizer`.
    factors : numpy.ndarray
        (steps, factors), the optimizer's factors in each step; the first is the learning rate.
    memories : numpy.ndarray
        (memories, count), updated: up to two values that the rule keeps of each parameter.
    clip_norm : float
        Largest L2 norm of a gradient, weights and biases together; 0 for no limit.
    clip_globally : bool
        Whether the norm is that of all layers together instead of each layer's own.
    layer_rates : numpy.ndarray, optional
        (layers, 2), multipliers of the learning rate for each layer's weights and for its biases;
        1 by default.
    loss : Loss
        The softmax cross-entropy by default.
    """

    rule: Callable[..., tuple[Any, Any, Any]]
    factors: np.ndarray
    memories: np.ndarray
    clip_norm: float = 0.0
    clip_globally: bool = False
    layer_rates: np.ndarray | None = None
    loss: Loss = CLASSIFICATION

    @classmethod
    def start(cls, optimizer: Optimizer, factors: np.ndarray, parameters: np.ndarray) -> "Descent":
        """Return a descent whose memories are 0.

        Parameters
        ----------
        optimizer : Optimizer
            Gives the rule and the number of memories.
        factors : numpy.ndarray
            (steps, factors), of any float dtype.
        parameters : numpy.ndarray
            (count,), those that will be updated.
        """
        memories = aligned_zeros((optimizer.memories, parameters.size), parameters.dtype)
        return cls(optimizer.rule, factors.astype(parameters.dtype), memories)

    @classmethod
    def plain(cls, rates: np.ndarray, parameters: np.ndarray) -> "Descent":
        """Return plain gradient descent at a learning rate for each step.

        Parameters
        ----------
        rates : numpy.ndarray
            (steps,) float64.
        parameters : numpy.ndarray
            (count,), those that will be updated.
        """
        optimizer = OPTIMIZERS["sgd"]
        return cls.start(optimizer, optimizer.factors(rates, 0), parameters)


class Histograms(NamedTuple):
    """Histograms of each layer's activations and of the gradients of its weights.

    Attributes
    ----------
    rows : numpy.ndarray
        (steps,) int64, the row of the arrays below that takes the histograms of a step; -1 for
        none.
    bounds : numpy.ndarray
        (rows, layers, 2, 2) float64, written: for activations and gradients, the left edge of the
        first bin and the right edge of the last.
    counts : numpy.ndarray
        (rows, layers, 2, BINS) int64, written.
    """

    rows: np.ndarray
    bounds: np.ndarray
    counts: np.ndarray

    @classmethod
    def none(cls, steps: int) -> "Histograms":
        """Return histograms of no step."""
        counts = np.zeros((0, 0, 2, BINS), np.int64)
        return cls(np.full(steps, -1), np.zeros((0, 0, 2, 2)), counts)

    @classmethod
    def of(cls, wanted: np.ndarray, layers: int) -> "Histograms":
        """Return empty histograms.

        Parameters
        ----------
        wanted : numpy.ndarray
            (steps,) bool, the steps of which histograms are taken.
        layers : int
            Layers of the network.
        """
        count = int(np.sum(wanted))
        rows = np.where(wanted, np.cumsum(wanted) - 1, -1)
        counts = np.zeros((count, layers, 2, BINS), np.int64)
        return cls(rows, np.zeros((count, layers, 2, 2)), counts)


class Records(NamedTuple):
    """What is measured; its arrays say of how many steps.

    Attributes
    ----------
    losses : numpy.ndarray
        (steps,) float64, written: the mean loss of each step's batch before its update. Its length
        is the number of steps.
    scores : numpy.ndarray
        (steps,) float64, written: how many images of the batch were classified correctly; with a
        loss of values the sum of the squared errors of the batch.
    statistics : numpy.ndarray
        (recorded, layers, len(STATISTICS)) float64, written: of the last ``recorded`` steps. At
        the end of a residual block, those of the activation are of the branch, before the block's
        input is added. Weights are those before the update, gradients those before clipping.
    histograms : Histograms, optional
        None takes none.
    """

    losses: np.ndarray
    scores: np.ndarray
    statistics: np.ndarray
    histograms: Histograms | None = None

    @classmethod
    def of(cls, steps: int, layers: int, recorded: int = 0) -> "Records":
        """Return empty records.

        Parameters
        ----------
        steps, layers : int
            Steps of the epoch and layers of the network.
        recorded : int
            Of how many of the last steps statistics are taken.
        """
        statistics = np.zeros((recorded, layers, len(STATISTICS)))
        return cls(np.zeros(steps), np.zeros(steps), statistics)


def work_size(sizes: Any, batch_size: int) -> int:
    """Return how many elements the work space of a network needs.

    Parameters
    ----------
    sizes : array of int
        Widths from the input to the logits.
    batch_size : int
        Images a step.
    """
    return 2 * batch_size * int(np.sum(sizes))
