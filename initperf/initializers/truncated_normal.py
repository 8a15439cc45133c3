"""Truncated normal weights of a given standard deviation."""

import math
from dataclasses import dataclass

from initperf._core.arguments import finite
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import TruncatedNormal as TruncatedNormalLaw
from initperf.kernels.fill_truncated_normal import masses

TWO_SIGMA_STD = 0.87962566103423978
"""Standard deviation of the standard normal law truncated to [-2, 2]."""

_SMALLEST_MASS = 2.0**-94
"""With it, the least mass beyond a float32 value, 2^-32 of this, is still a normal float32."""


def check_mass(low: float, high: float) -> None:
    """Check bounds, in standard deviations, for enough mass between them to invert in float32.

    Raises
    ------
    ValueError
        When they are out of order or too far out.
    """
    if not low < high:
        raise ValueError(f"low must be below high, and {low!r} is not below {high!r}")
    if masses(low, high)[1] < _SMALLEST_MASS:
        raise ValueError(
            f"between {low:g} and {high:g} standard deviations lies less than {_SMALLEST_MASS:g} "
            "of a normal law: too little to draw from"
        )


@dataclass(frozen=True, kw_only=True)
class TruncatedNormal(Independent):
    """N(loc, scale^2) on condition that the value falls in [low, high].

    Attributes
    ----------
    loc, scale : float
        Mean and standard deviation before truncation, as ``torch.nn.init.trunc_normal_`` has it.
    low, high : float
        Bounds of the values themselves; either may be infinite.
    """

    loc: float = 0.0
    scale: float = 1.0
    low: float = -2.0
    high: float = 2.0

    def __post_init__(self) -> None:
        finite(loc=self.loc, scale=self.scale)
        if not self.scale > 0:
            raise ValueError(f"scale must be positive, not {self.scale!r}")
        for name, value in (("low", self.low), ("high", self.high)):
            if value not in (-math.inf, math.inf):
                finite(**{name: value})
        check_mass((self.low - self.loc) / self.scale, (self.high - self.loc) / self.scale)

    def law(self, shape: tuple[int, ...]) -> TruncatedNormalLaw:
        """Return the conditional law."""
        return TruncatedNormalLaw(
            float(self.loc), float(self.scale), float(self.low), float(self.high)
        )


register(
    "truncated_normal",
    TruncatedNormal(
        formula="N(0, 1) within ±2",
        cite="Robert 1995, Statistics and Computing 5",
    ),
    aliases=("trunc_normal",),
)
