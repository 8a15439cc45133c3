"""Scratch space of the training loop, made anew for each epoch."""

from typing import NamedTuple

import numpy as np

from initperf.jit.cache_lines import aligned_zeros
from initperf.kernels._epoch_arguments import Batches, Network
from initperf.kernels.dense_backward import SmallSpace


class Scratch(NamedTuple):
    """Small arrays in which the functions of a step leave values for those that follow.

    Attributes
    ----------
    targets : numpy.ndarray
        (batch_size, columns), the targets of the batch: classes in one column, or values.
    seen : numpy.ndarray
        (widest layer,), units of a layer that were seen alive; see `initperf.kernels.activate`.
    verdict : numpy.ndarray
        (1,) float64, written by each call of a kernel and read at once: 1 where its layer diverged.
    scores : numpy.ndarray
        (2,) float64: the loss and the score, see `Records`, from `take_loss` until they
        are recorded; afterwards, while `clip` runs, the squared norm of a gradient in the first.
    scales : numpy.ndarray
        (layers,) float64, what the update multiplies each layer's gradient by; 1 without clipping.
    peaks : numpy.ndarray
        (layers,) float64, the largest magnitude of each layer's weights. Each update finds that of
        the new weights, so that the weights are not read once more for it.
    small : SmallSpace
        Space of `initperf.kernels.dense_backward` for small products.
    """

    targets: np.ndarray
    seen: np.ndarray
    verdict: np.ndarray
    scores: np.ndarray
    scales: np.ndarray
    peaks: np.ndarray
    small: SmallSpace

    @classmethod
    def of(cls, network: Network, batches: Batches) -> "Scratch":
        """Return scratch space for a network and batches whose targets are a matrix."""
        layers, dtype = len(network.sizes) - 1, network.parameters.dtype
        return cls(
            targets=np.zeros((batches.batch_size, batches.targets.shape[1]), dtype),
            seen=aligned_zeros(int(network.sizes.max()), dtype),
            verdict=np.zeros(1),
            scores=np.zeros(2),
            scales=np.ones(layers),
            peaks=np.zeros(layers),
            small=SmallSpace.of(dtype),
        )
