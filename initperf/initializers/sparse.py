"""Normal weights, most of which are zero: each unit starts with a few of its inputs.

Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.source import Source
from initperf.initializers._distributions import Normal, Uniform
from initperf.initializers._initializer import register
from initperf.initializers._whole import Whole
from initperf.kernels.philox import COUNTERS, WORDS


@dataclass(frozen=True, kw_only=True)
class Sparse(Whole):
    """N(0, scale²), with the same number of zeros among the weights that feed each output.

    ``torch.nn.init.sparse_`` zeroes entries of each column of PyTorch's (out, in), that is, among
    the weights that each input feeds: ``in_axis=0, out_axis=1`` does that to a tensor.

    Attributes
    ----------
    sparsity : float
        Share of zeros among the weights that feed an output, in [0, 1]; their number is rounded
        up.
    scale : float
        Standard deviation of the others.
    """

    sparsity: float = 0.9
    scale: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_numbers("sparsity", least=0.0, most=1.0)
        self.check_numbers("scale", least=0.0)

    @property
    def _normal(self) -> Normal:
        return Normal(0.0, self.scale)

    def _check(self, out: np.ndarray) -> None:
        self._normal.check(out.dtype)

    def fill(self, out: np.ndarray, source: Source) -> None:
        """Fill a checked array."""
        self._normal.fill(out, source)
        rows, columns = self._matrix_shape(out.shape)
        zeros = self._zeros(rows)
        if zeros == 0:
            return
        # Zero the entries of each column with the smallest uniform keys, which are drawn from the
        # first block of the stream that the normal values have not used.
        block = COUNTERS * WORDS
        ranks = np.empty((columns, rows))
        Uniform(0.0, 1.0).fill(ranks, source.at(-(-out.size // block) * block))
        chosen = np.argpartition(ranks, zeros - 1, axis=1)[:, :zeros]
        last = np.moveaxis(out, self.out_axis, -1)
        last[(*np.unravel_index(chosen, last.shape[:-1]), np.arange(columns)[:, None])] = 0.0

    def _zeros(self, rows: int) -> int:
        return math.ceil(self.sparsity * rows)

    def _share(self, shape: Any) -> float:
        rows, _ = self._matrix_shape(shape)
        return 1.0 - self._zeros(rows) / rows

    def mean(self, shape: Any) -> float:
        """Return 0."""
        self._matrix_shape(shape)
        return 0.0

    def std(self, shape: Any) -> float:
        """Return the root of an entry's mean square, the zeros included."""
        return self.scale * math.sqrt(self._share(shape))

    def support(self, shape: Any) -> tuple[float, float]:
        """Return the real line, or 0 twice where every entry is zero."""
        return self._normal.support if self._share(shape) else (0.0, 0.0)


register(
    "sparse",
    Sparse(
        formula="N(0, 0.01²) for a tenth of n, else 0",
        cite="Martens 2010, section 5",
        suits=("tanh", "sigmoid"),
        in_report=False,
    ),
)
