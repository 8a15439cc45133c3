"""Uniformly distributed orthogonal weights.

Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
neural networks", ICLR 2014. The matrix is drawn, not factorised: see `initperf.kernels.haar`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_numbers
from initperf._core.source import Source
from initperf.initializers._distributions import check_range, check_resolution
from initperf.initializers._initializer import register
from initperf.initializers._whole import Whole
from initperf.kernels import KERNELS


@dataclass(frozen=True, kw_only=True)
class Orthogonal(Whole):
    """`gain` times a matrix with orthonormal columns, or rows where there are fewer of them.

    Attributes
    ----------
    gain : float
        Every singular value of the weight. With more than two axes the matrix has a column for
        each output and a row for each entry that feeds it, the receptive field included.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("gain", least=0.0)

    def _check(self, out: np.ndarray) -> None:
        check_range(out.dtype, gain=self.gain)
        check_resolution(out.dtype, 1.0, gain=self.gain)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        rows, columns = self._matrix_shape(out.shape)
        last = np.moveaxis(out, self.out_axis, -1)
        direct = last.flags.c_contiguous
        matrix = last.reshape(rows, columns) if direct else np.empty((rows, columns), out.dtype)
        KERNELS["haar"][source.backend](
            matrix, source.key, source.stream, self.gain, source.threads
        )
        if not direct:
            last[...] = matrix.reshape(last.shape)

    def mean(self, shape: Any) -> float:
        """Return 0."""
        self._matrix_shape(shape)
        return 0.0

    def std(self, shape: Any) -> float:
        """Return the root of an entry's mean square: gain divided by √(longer side)."""
        return self.gain / math.sqrt(max(self._matrix_shape(shape)))

    def support(self, shape: Any) -> tuple[float, float]:
        """Return [-gain, gain]."""
        self._matrix_shape(shape)
        return -self.gain, self.gain

    def density(self, shape: Any, x: Any) -> np.ndarray | None:
        """Return the density of one entry, a coordinate of a uniform point on a sphere.

        Parameters
        ----------
        shape : int or tuple of int
            Shape of the weight.
        x : array_like
            Values of the entry.

        Returns
        -------
        numpy.ndarray or None
            None in one dimension, where the entry is ±gain, and for a gain of 0.
        """
        dimension = max(self._matrix_shape(shape))
        if dimension == 1 or self.gain == 0.0:
            return None
        square = 1.0 - (as_numbers("x", x) / self.gain) ** 2
        power = (dimension - 3) / 2
        scale = math.exp(math.lgamma(dimension / 2) - math.lgamma((dimension - 1) / 2))
        inside = np.where(square > 0.0, square, 1.0) ** power
        return np.where(square > 0.0, scale / (math.sqrt(math.pi) * self.gain) * inside, 0.0)


register(
    "orthogonal",
    Orthogonal(
        formula="Haar: WᵀW = 1 (or WWᵀ)",
        cite="Saxe et al. 2014, section 3",
        suits=("linear", "tanh"),
    ),
    aliases=("orthogonal_initializer",),
)
