"""ZerO: identities, and Hadamard's matrix where a layer grows; the same for every seed.

Zhao, Schäfer & Anandkumar, "ZerO initialization: initializing neural networks with only zeros and
ones", TMLR 2022 (2110.12661), algorithm 1; of a convolution, the matrix stands in the middle of the
field.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_shape
from initperf._core.source import Source
from initperf.initializers._whole import Whole, at
from initperf.initializers._zero_weights import zero_weights
from initperf.torch.recipe import BIASES, NORMALIZATIONS, Assign, Recipe, register, role


@functools.lru_cache(maxsize=256)
def _moments(inputs: int, outputs: int) -> tuple[float, float, float, float]:
    """Return sum, sum of squares, least and largest entry of the matrix."""
    found = zero_weights(inputs, outputs)
    return float(found.sum()), float(np.square(found).sum()), float(found.min()), float(found.max())


@dataclass(frozen=True, kw_only=True)
class ZeroWeights(Whole):
    """`initperf.initializers._zero_weights.zero_weights` in the middle of the field; else 0."""

    def _check(self, out: np.ndarray) -> None:
        self._channels(out.shape)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array; nothing is drawn."""
        out[...] = 0.0
        middle = at(out, self.in_axis, self.out_axis, lambda length: length // 2)
        middle[...] = zero_weights(*middle.shape)

    def mean(self, shape: Any) -> float:
        """Return the mean over all entries."""
        total, *_ = _moments(*self._channels(shape))
        return float(total / math.prod(as_shape(shape)))

    def std(self, shape: Any) -> float:
        """Return the standard deviation over all entries."""
        _, squares, *_ = _moments(*self._channels(shape))
        return math.sqrt(squares / math.prod(as_shape(shape)) - self.mean(shape) ** 2)

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the least and the largest entry."""
        inputs, outputs = self._channels(shape)
        _, _, low, high = _moments(inputs, outputs)
        outside = math.prod(as_shape(shape)) > inputs * outputs
        return (min(low, 0.0), max(high, 0.0)) if outside else (low, high)


@dataclass(frozen=True, kw_only=True)
class ZeroHadamard(Recipe):
    """Identity, or Hadamard's matrix where a layer grows; biases 0.

    A matrix is made whole, also by processes that hold a shard of it.
    """

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rules."""
        return (*NORMALIZATIONS, Assign(role("weight"), ZeroWeights()), *BIASES)


register(
    ZeroHadamard(
        name="zero_hadamard",
        formula="identity (n ≥ m), else 2^(−(k−1)/2) × Hadamard, k = ⌈log₂ m⌉; biases 0",
        cite="Zhao, Schäfer & Anandkumar 2022 (2110.12661), algorithm 1",
    )
)
