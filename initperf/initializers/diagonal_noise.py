"""Identity plus a little normal noise, for tanh in deep and narrow networks.

Lee, Choi & Kim, "Robust weight initialization for tanh neural networks with fixed point analysis",
ICLR 2025 (2410.02242), whose noise of 0.085/√n this is. Their "Beyond Gaussian initializations:
signal preserving weight initialization for odd-sigmoid activations", 2025 (2509.23085), extends
the rule to an activation f with f'(0) other than 1, whose diagonal is 1/f'(0), and computes the
noise from the depth; that formula could not be compared with the paper and is left out.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers._distributions import Normal, check_range
from initperf.initializers._initializer import register
from initperf.initializers._whole import Whole, at


def _middle(length: int) -> int:
    return length // 2


@dataclass(frozen=True, kw_only=True)
class DiagonalNoise(Whole):
    """N(0, noise²/n), and `diagonal` more where unit i meets input i modulo the inputs.

    Of a convolution the diagonal is in the middle of the field.

    Attributes
    ----------
    noise : float
        √n times the standard deviation of the noise, n the fan-in.
    diagonal : float
        What is added on the diagonal: 1/f'(0) keeps small signals.
    """

    noise: float = 0.085
    diagonal: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("noise", least=0.0)
        self.check_numbers("diagonal")

    def _normal(self, shape: Any) -> Normal:
        rows, _ = self._matrix_shape(shape)
        return Normal(0.0, self.noise / math.sqrt(rows))

    def _check(self, out: np.ndarray) -> None:
        self._normal(out.shape).check(out.dtype)
        check_range(out.dtype, diagonal=self.diagonal)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        self._normal(out.shape).fill(out, source)
        matrix = at(out, self.in_axis, self.out_axis, _middle)
        unit = np.arange(matrix.shape[1])
        met = unit % matrix.shape[0]
        matrix[met, unit] += np.asarray(self.diagonal, out.dtype)

    def _share(self, shape: Any) -> float:
        """Return the share of entries on the diagonal: one of each unit."""
        return self._channels(shape)[1] / math.prod(as_shape(shape))

    def mean(self, shape: Any) -> float:
        """Return the diagonal times its share of the entries."""
        return self.diagonal * self._share(shape)

    def std(self, shape: Any) -> float:
        """Return the standard deviation over the entries, noise and diagonal together."""
        share = self._share(shape)
        noise = self._normal(shape).std
        return math.sqrt(noise * noise + self.diagonal**2 * share * (1.0 - share))

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the real line; without noise, the least interval with 0 and the diagonal."""
        if self.noise:
            return self._normal(shape).support
        rest = 0.0 if self._share(shape) < 1.0 else self.diagonal
        return min(rest, self.diagonal), max(rest, self.diagonal)


register(
    "diagonal_noise",
    DiagonalNoise(
        formula="1 if i = j modulo n, plus N(0, 0.085²/n)",
        cite="Lee, Choi & Kim 2025 (2410.02242)",
        suits=("tanh",),
    ),
    aliases=("diagonal_plus_noise",),
)
