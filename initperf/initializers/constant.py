"""Constant weights: all units of a layer compute the same and learn the same.

Goodfellow, Bengio & Courville, "Deep Learning", 2016, section 8.4.
"""

from dataclasses import dataclass

from initperf.initializers._distributions import Point
from initperf.initializers._initializer import Independent, register

_SYMMETRY = "Goodfellow, Bengio & Courville 2016, section 8.4"


@dataclass(frozen=True, kw_only=True)
class Constant(Independent):
    """Every weight is `value`.

    Attributes
    ----------
    value : float
        The value.
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        self.check_numbers("value")

    def distribution_of(self, shape: tuple[int, ...]) -> Point:
        """Return all mass on `value`."""
        return Point(self.value)


register("zeros", Constant(value=0.0, formula="0", cite=_SYMMETRY), aliases=("zero",))
register("ones", Constant(value=1.0, formula="1", cite=_SYMMETRY), aliases=("one",))
register("constant", Constant(value=0.01, formula="c (default 0.01)", cite=_SYMMETRY))
