"""What an epoch of training works on: tuples of arrays that compiled code takes as they are.

Parameters and gradients are flat: for each layer its weights in C order, then its biases. Inputs
and slopes of all layers lie in a work space of two halves, a layer's batch after the other.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from initperf.jit.cache_lines import aligned_zeros
from initperf.kernels.dense_backward import small_space
from initperf.kernels.histogram import BINS
from initperf.optimizers import Optimizer


class Passes(NamedTuple):
    """Addresses of passes, or codes and functions for the reference: measured ones, then plain."""

    hidden: tuple[Any, Any]
    linear: tuple[Any, Any]
    update: tuple[Any, Any]
    loss: Any
    norm: Any
    histogram: Any
    blas: Any


class Batches(NamedTuple):
    """The images, their labels, and in which order and how many at a time they are taken."""

    images: np.ndarray
    labels: np.ndarray
    order: np.ndarray
    batch_size: int


class Layout(NamedTuple):
    """Where the layers lie: widths, starts in the parameters and in a half of the work space.

    Then which are linear, and of each layer that ends a residual block, the one that begins it,
    and of each that begins one, the layer after it; -1 of all others.
    """

    sizes: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    linear: np.ndarray
    begins: np.ndarray
    follows: np.ndarray

    @classmethod
    def of(cls, sizes: np.ndarray, batch_size: int, blocks: Sequence[range]) -> "Layout":
        """Lay out layers of these widths, from input to output, some of them residual blocks."""
        weights = np.cumsum((sizes[:-1] + 1) * sizes[1:])
        places = batch_size * np.cumsum(sizes)
        linear = np.arange(1, len(sizes)) == len(sizes) - 1
        begins, follows = np.full((2, len(linear)), -1)
        for block in blocks:
            linear[block[-1]] = len(block) > 1
            begins[block[-1]], follows[block[0]] = block.start, block.stop
        return cls(sizes, np.append(0, weights), np.append(0, places), linear, begins, follows)


class Space(NamedTuple):
    """Work space: inputs and slopes of the layers, units seen alive, labels, a few numbers.

    The last two are `initperf.kernels.dense_backward.small_space`.
    """

    inputs: np.ndarray
    slopes: np.ndarray
    seen: np.ndarray
    labels: np.ndarray
    verdict: np.ndarray
    scores: np.ndarray
    nothing: np.ndarray
    scales: np.ndarray
    peaks: np.ndarray
    zeros: np.ndarray
    room: np.ndarray

    @classmethod
    def of(cls, work: np.ndarray, layout: Layout, batch_size: int) -> "Space":
        """Part a work space, and make room for the rest."""
        depth, middle = layout.sizes.size - 1, work.size // 2
        numbers = np.zeros(1), np.zeros(2), np.zeros(0)
        seen, labels = aligned_zeros(layout.sizes.max(), work.dtype), np.zeros(batch_size, np.int64)
        layers = np.ones(depth), np.zeros(depth)
        small = small_space(work.dtype)
        return cls(work[:middle], work[middle:], seen, labels, *numbers, *layers, *small)


class Movement(NamedTuple):
    """What moves: parameters, their gradients, an optimizer's memories and factors, clipping.

    Then what multiplies the rates of each layer's weights and biases, and room for its factors.
    """

    parameters: np.ndarray
    gradients: np.ndarray
    memories: np.ndarray
    slots: int
    factors: np.ndarray
    clip_norm: float
    clip_globally: bool
    layer_rates: np.ndarray
    layer_factors: np.ndarray


class Records(NamedTuple):
    """What is kept: of each step, of the layers in the last steps, and histograms of some."""

    losses: np.ndarray
    correct: np.ndarray
    statistics: np.ndarray
    recorded: int
    rows: np.ndarray
    bounds: np.ndarray
    counts: np.ndarray


class Descent(NamedTuple):
    """How weights follow their gradients.

    Attributes
    ----------
    optimizer : Optimizer
    factors : numpy.ndarray
        (steps, factors), of the dtype of the weights.
    memories : numpy.ndarray
        (memories of the optimizer, parameters), updated.
    clip_globally : bool
        Whether the norm that is clipped is that of all layers together.
    layer_rates : numpy.ndarray, optional
        (layers, 2): what multiplies the learning rate of each layer's weights, and of its biases;
        1 by default.
    """

    optimizer: Optimizer
    factors: np.ndarray
    memories: np.ndarray
    clip_globally: bool = False
    layer_rates: np.ndarray | None = None

    def by_layer(self, layers: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rates of so many layers, and room for the factors of one."""
        rates = np.ones((layers, 2)) if self.layer_rates is None else self.layer_rates
        dtype = self.factors.dtype
        return np.ascontiguousarray(rates, dtype), np.zeros(2 * self.factors.shape[1], dtype)


class Histograms(NamedTuple):
    """Histograms of activations and gradients, by layer.

    Attributes
    ----------
    places : numpy.ndarray
        (steps,) int64: which row below takes the histograms of a step; -1 for none.
    bounds : numpy.ndarray
        (rows, layers, 2, 2) float64, written: the activation's and the gradient's, where the
        first bin begins and the last ends.
    counts : numpy.ndarray
        (rows, layers, 2, BINS) int64, written.
    """

    places: np.ndarray
    bounds: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, wanted: np.ndarray, layers: int) -> "Histograms":
        """Make room for the steps where an array of Booleans is true."""
        rows = int(np.sum(wanted))
        places = np.where(wanted, np.cumsum(wanted) - 1, -1)
        bounds, counts = np.zeros((rows, layers, 2, 2)), np.zeros((rows, layers, 2, BINS), np.int64)
        return cls(places, bounds, counts)
