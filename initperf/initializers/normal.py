"""Normal weights of a standard deviation that does not depend on the layer."""

from dataclasses import dataclass

from initperf.initializers import _distributions
from initperf.initializers._initializer import Independent, register

_SMALL = "Krizhevsky, Sutskever & Hinton 2012, section 5"
_SATURATION = "Glorot & Bengio 2010, section 3"


@dataclass(frozen=True, kw_only=True)
class Normal(Independent):
    """N(loc, scale²), not truncated.

    Attributes
    ----------
    loc, scale : float
        Mean and standard deviation of an entry.
    """

    loc: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        self.check_numbers("loc")
        self.check_numbers("scale", least=0.0)

    def distribution_of(self, shape: tuple[int, ...]) -> _distributions.Normal:
        """Return N(loc, scale²)."""
        return _distributions.Normal(self.loc, self.scale)


register("normal", Normal(formula="N(0, 1)", cite=_SATURATION), aliases=("gaussian",))
register(
    "small_normal",
    Normal(scale=0.01, formula="N(0, 0.01²)", cite=_SMALL),
    aliases=("small_random",),
)
register(
    "random_normal",
    Normal(scale=0.05, formula="N(0, 0.05²)", cite="Keras, RandomNormal", in_report=False),
)
register("large_normal", Normal(scale=5.0, formula="N(0, 5²)", cite=_SATURATION))
