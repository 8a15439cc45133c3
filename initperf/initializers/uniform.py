"""Uniform weights between given bounds, whatever the layer's size."""

from dataclasses import dataclass

from initperf._core.arguments import finite
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import Uniform as UniformLaw

_HISTORIC = "Rumelhart, Hinton & Williams 1986, section 4"


@dataclass(frozen=True, kw_only=True)
class Uniform(Independent):
    """U(low, high)."""

    low: float = -0.05
    high: float = 0.05

    def __post_init__(self) -> None:
        finite(low=self.low, high=self.high)
        if self.low > self.high:
            raise ValueError(f"low must not be above high, and {self.low!r} is above {self.high!r}")

    def law(self, shape: tuple[int, ...]) -> UniformLaw:
        """Return U(low, high)."""
        return UniformLaw(float(self.low), float(self.high))


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
