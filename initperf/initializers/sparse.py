"""Normal weights, most of which are zero: each unit starts from a few of its inputs.

Martens, "Deep learning via Hessian-free optimization", ICML 2010, section 5.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import finite, not_negative
from initperf._core.keys import Key
from initperf.initializers._initializer import register
from initperf.initializers._law import Normal, Uniform
from initperf.initializers._whole import Whole
from initperf.kernels.philox import COUNTERS, WORDS


@dataclass(frozen=True, kw_only=True)
class Sparse(Whole):
    """N(0, scale^2), but a share of what feeds each output, the same number for all, is 0.

    ``torch.nn.init.sparse_`` sets zeros in the columns of PyTorch's (out, in), that is, in what
    each input feeds: ``in_axis=0, out_axis=1`` does that to a tensor.

    Attributes
    ----------
    sparsity : float
        The share of zeros in what feeds an output, in [0, 1]; rounded up to a whole number.
    scale : float
        Standard deviation of the others.
    """

    sparsity: float = 0.9
    scale: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        finite(sparsity=self.sparsity)
        if not 0.0 <= self.sparsity <= 1.0:
            raise ValueError(f"sparsity must be in [0, 1], a share of zeros, not {self.sparsity!r}")
        not_negative(scale=self.scale)

    @property
    def _normal(self) -> Normal:
        return Normal(0.0, float(self.scale))

    def _check(self, out: np.ndarray) -> None:
        self._normal.check(out.dtype)

    def _fill_whole(
        self, out: np.ndarray, key: Key, stream: int, backend: str, threads: int | None
    ) -> None:
        source = {"rng": key, "stream": stream, "backend": backend, "threads": threads}
        self._normal.fill(out, **source)
        rows, columns = self._matrix_shape(out.shape)
        zeros = self._zeros(rows)
        if zeros == 0:
            return
        # Whose uniform number is among the smallest of its column becomes zero. These numbers
        # come from behind the last block of bits that the normal ones have used.
        block = COUNTERS * WORDS
        ranks = np.empty((columns, rows))
        Uniform(0.0, 1.0).fill(ranks, offset=-(-out.size // block) * block, **source)
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
