"""Convolutions that start as a uniformly distributed orthogonal map of the channels.

Xiao, Bahri, Sohl-Dickstein, Schoenholz & Pennington, "Dynamical isometry and a mean field theory
of CNNs: how to train 10,000-layer vanilla convolutional neural networks", ICML 2018, algorithm 1.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers._initializer import register
from initperf.initializers._whole import at
from initperf.initializers.orthogonal import Orthogonal


def _middle(length: int) -> int:
    return (length - 1) // 2


@dataclass(frozen=True, kw_only=True)
class DeltaOrthogonal(Orthogonal):
    """`gain` times an orthogonal matrix in the middle of the receptive field, 0 around it.

    The middle of a field of even length is the lower of two places, as in JAX: there it is the
    centre of a convolution whose output has the size of its input. With two axes this is
    `Orthogonal`. The norm of a signal is kept where there are no fewer outputs than inputs.
    """

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        out[...] = 0.0
        matrix = at(out, self.in_axis, self.out_axis, _middle)
        Orthogonal(gain=self.gain).fill(matrix, source)

    def std(self, shape: Any) -> float:
        """Return the root of an entry's mean square, the zeros around the matrix included."""
        channels = self._channels(shape)
        field = math.prod(as_shape(shape)) // math.prod(channels)
        return self.gain / math.sqrt(max(channels) * field)

    def density(self, shape: Any, x: Any) -> np.ndarray | None:
        """Return the density of `Orthogonal` for two axes; None for more: entries can be zero.

        Parameters
        ----------
        shape : int or tuple of int
            Shape of the weight.
        x : array_like
            Values of the entry.
        """
        return super().density(shape, x) if len(as_shape(shape)) == 2 else None


register(
    "delta_orthogonal",
    DeltaOrthogonal(
        formula="Haar in the middle of the field, else 0",
        cite="Xiao et al. 2018, algorithm 1",
        suits=("linear", "tanh"),
        in_report=False,
    ),
)
