"""Weights of the identity map.

Le, Jaitly & Hinton, "A simple way to initialize recurrent networks of rectified linear units",
arXiv:1504.00941, 2015; Zagoruyko & Komodakis, "DiracNets: training very deep neural networks
without skip-connections", arXiv:1706.00388, 2017, for convolutions.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers._distributions import check_range
from initperf.initializers._initializer import register
from initperf.initializers._whole import Whole, at


def _middle(length: int) -> int:
    return length // 2


@dataclass(frozen=True, kw_only=True)
class Identity(Whole):
    """`gain` where input and output have the same number, in the middle of the field; else 0.

    The middle of a field of even length is the upper of two places, as in
    ``torch.nn.init.dirac_``.

    Attributes
    ----------
    gain : float
        Factor of each input.
    groups : int
        Number of groups of outputs, each of which starts with the first input again, as of a
        convolution with groups, whose weight has the inputs of one group.
    """

    gain: float = 1.0
    groups: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("gain", least=0.0)
        self.check_integers("groups", least=1)

    def _check(self, out: np.ndarray) -> None:
        check_range(out.dtype, gain=self.gain)
        self._passed_on(out.shape)

    def _passed_on(self, shape: Any) -> int:
        """Return how many inputs each group passes on."""
        inputs, outputs = self._channels(shape)
        if outputs % self.groups:
            raise ValueError(f"groups must divide {outputs} outputs, and {self.groups} does not")
        return min(inputs, outputs // self.groups)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        inputs = np.arange(self._passed_on(out.shape))
        matrix = at(out, self.in_axis, self.out_axis, _middle)
        out[...] = 0.0
        for group in range(self.groups):
            matrix[inputs, inputs + group * (matrix.shape[1] // self.groups)] = self.gain

    def _share(self, shape: Any) -> float:
        return self.groups * self._passed_on(shape) / math.prod(as_shape(shape))

    def mean(self, shape: Any) -> float:
        """Return the gain times the share of entries that have it."""
        return self.gain * self._share(shape)

    def std(self, shape: Any) -> float:
        """Return the standard deviation over the entries."""
        share = self._share(shape)
        return self.gain * math.sqrt(share * (1.0 - share))

    def support(self, shape: Any) -> tuple[float, float]:
        """Return [0, gain], or the gain twice where every entry has it."""
        return (0.0 if self._share(shape) < 1.0 else self.gain), self.gain


register(
    "identity",
    Identity(
        formula="1 if i = j, else 0",
        cite="Le et al. 2015; Zagoruyko & Komodakis 2017",
        suits=("linear", "relu"),
        in_report=False,
    ),
    aliases=("eye", "dirac", "identity_initializer"),
)
