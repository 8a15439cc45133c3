"""Normal weights of a given standard deviation, whatever the layer's size."""

from dataclasses import dataclass

from initperf._core.arguments import finite, not_negative
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import Normal as NormalLaw

_SMALL = "Krizhevsky, Sutskever & Hinton 2012, section 5"
_SATURATION = "Glorot & Bengio 2010, section 3"


@dataclass(frozen=True, kw_only=True)
class Normal(Independent):
    """N(loc, scale^2), not truncated.

    Attributes
    ----------
    loc, scale : float
        Mean and standard deviation.
    """

    loc: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        finite(loc=self.loc)
        not_negative(scale=self.scale)

    def law(self, shape: tuple[int, ...]) -> NormalLaw:
        """Return N(loc, scale^2)."""
        return NormalLaw(float(self.loc), float(self.scale))


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
