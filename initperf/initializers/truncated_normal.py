"""Truncated normal weights of a scale that does not depend on the layer."""

from dataclasses import dataclass

import numpy as np

from initperf.initializers import _distributions
from initperf.initializers._initializer import Independent, register
from initperf.kernels.fill_truncated_normal import masses

TWO_SIGMA_STD = 0.87962566103423978
"""Standard deviation of the standard normal distribution truncated to [-2, 2]."""

_SMALLEST_MASS = 2.0**-94
"""Least mass between bounds: 2^-32 of it, a float32 draw's resolution, is a normal float32."""


def check_mass(low: float, high: float) -> None:
    """Check that there is enough mass between bounds for the inversion in float32.

    Parameters
    ----------
    low, high : float
        The bounds, in standard deviations from the mean.

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
            "of a normal distribution: too little to draw from"
        )


@dataclass(frozen=True, kw_only=True)
class TruncatedNormal(Independent):
    """N(loc, scale²) on condition that the value falls in [low, high].

    Attributes
    ----------
    loc, scale : float
        Mean and standard deviation before truncation, as of ``torch.nn.init.trunc_normal_``.
    low, high : float
        Bounds of the values, not of standard deviations; either may be infinite.
    """

    loc: float = 0.0
    scale: float = 1.0
    low: float = -2.0
    high: float = 2.0

    def __post_init__(self) -> None:
        self.check_numbers("loc")
        self.check_numbers("scale", positive=True)
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, float | np.floating) and np.isinf(value):
                object.__setattr__(self, name, float(value))
            else:
                self.check_numbers(name)
        check_mass((self.low - self.loc) / self.scale, (self.high - self.loc) / self.scale)

    def distribution_of(self, shape: tuple[int, ...]) -> _distributions.TruncatedNormal:
        """Return the truncated distribution."""
        return _distributions.TruncatedNormal(self.loc, self.scale, self.low, self.high)


register(
    "truncated_normal",
    TruncatedNormal(
        formula="N(0, 1) within ±2",
        cite="Robert 1995, Statistics and Computing 5",
    ),
    aliases=("trunc_normal",),
)
