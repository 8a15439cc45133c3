"""Family of the kernels of losses, which the training loop and evaluations call."""

from typing import Any

import numpy as np
from numba import types

from initperf.jit.address import Family, matrix, vector
from initperf.jit.policy import Function
from initperf.kernels._kernel import KERNELS
from initperf.kernels.pointwise_loss import pointwise_variant
from initperf.kernels.softmax_cross_entropy import softmax_cross_entropy
from initperf.losses import Loss, PointwiseLoss


def _signature(kind: Any) -> tuple[Any, ...]:
    return matrix(kind), matrix(kind), matrix(kind), vector(kind), vector(types.float64)


LOSS = Family(_signature)
"""Kernels of losses, which take ``(outputs, targets, delta, bias_gradient, scores)``."""


def loss_variant(loss: Loss) -> Function:
    """Return the compiled function of a loss."""
    return pointwise_variant(loss) if isinstance(loss, PointwiseLoss) else softmax_cross_entropy


def as_matrix(targets: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Return targets as kernels of losses take them: classes as numbers in one column.

    Parameters
    ----------
    targets : numpy.ndarray
        (count,) int64, or (count, outputs) of `dtype`.
    dtype : numpy.dtype
        float32 or float64; float32 holds the classes below 2²⁴.
    """
    return targets if targets.ndim > 1 else targets.astype(dtype).reshape(-1, 1)


def evaluate_loss(
    loss: Loss, outputs: np.ndarray, targets: np.ndarray, backend: str
) -> tuple[float, float]:
    """Return the mean loss, and the count of correct predictions or the sum of squared errors.

    Parameters
    ----------
    loss : Loss
    outputs : numpy.ndarray
        (count, outputs), float32 or float64.
    targets : numpy.ndarray
        As `as_matrix` takes them.
    backend : str
        ``"numba"`` or ``"numpy"``.
    """
    scores = np.zeros(2)
    rest = as_matrix(targets, outputs.dtype), np.empty_like(outputs), np.empty_like(outputs[0])
    if isinstance(loss, PointwiseLoss):
        KERNELS["pointwise_loss"][backend](loss, outputs, *rest, scores)
    else:
        KERNELS["softmax_cross_entropy"][backend](outputs, *rest, scores)
    return float(scores[0]), float(scores[1])
