"""Constant weights: every unit of a layer computes the same and learns the same.

Goodfellow, Bengio & Courville, "Deep Learning", 2016, section 8.4.
"""

from dataclasses import dataclass

from initperf._core.arguments import finite
from initperf.initializers._initializer import Independent, register
from initperf.initializers._law import Point

_SYMMETRY = "Goodfellow, Bengio & Courville 2016, section 8.4"


@dataclass(frozen=True, kw_only=True)
class Constant(Independent):
    """Every weight is `value`."""

    value: float = 0.0

    def __post_init__(self) -> None:
        finite(value=self.value)

    def law(self, shape: tuple[int, ...]) -> Point:
        """Return all mass on `value`."""
        return Point(float(self.value))


register("zeros", Constant(value=0.0, formula="0", cite=_SYMMETRY), aliases=("zero",))
register("ones", Constant(value=1.0, formula="1", cite=_SYMMETRY), aliases=("one",))
register("constant", Constant(value=0.01, formula="c (default 0.01)", cite=_SYMMETRY))
