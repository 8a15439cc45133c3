"""Uniform weights between bounds that do not depend on the layer."""

from dataclasses import dataclass

from initperf.initializers import _distributions
from initperf.initializers._initializer import Independent, register

_HISTORIC = "Rumelhart, Hinton & Williams 1986, section 4"


@dataclass(frozen=True, kw_only=True)
class Uniform(Independent):
    """U(low, high).

    Attributes
    ----------
    low, high : float
        The bounds, finite.
    """

    low: float = -0.05
    high: float = 0.05

    def __post_init__(self) -> None:
        self.check_numbers("low", "high")
        if self.low > self.high:
            raise ValueError(f"low must not be above high, and {self.low!r} is above {self.high!r}")

    def distribution_of(self, shape: tuple[int, ...]) -> _distributions.Uniform:
        """Return U(low, high)."""
        return _distributions.Uniform(self.low, self.high)


register(
    "uniform",
    Uniform(formula="U(−0.05, 0.05)", cite="Keras, RandomUniform"),
    aliases=("random_uniform",),
)
register(
    "historic_uniform",
    Uniform(low=-0.3, high=0.3, formula="U(−0.3, 0.3)", cite=_HISTORIC),
)
register(
    "historic_uniform_one",
    Uniform(low=-1.0, high=1.0, formula="U(−1, 1)", cite=_HISTORIC),
)
register(
    "historic_uniform_positive",
    Uniform(low=0.0, high=1.0, formula="U(0, 1)", cite=_HISTORIC),
)
