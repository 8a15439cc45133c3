"""Weights from a distribution that is named, with its parameters."""

from dataclasses import dataclass
from functools import cached_property

from initperf.initializers._distributions import Distribution
from initperf.initializers._initializer import Independent, register
from initperf.initializers.clipped_normal import ClippedNormal
from initperf.initializers.normal import Normal
from initperf.initializers.truncated_normal import TruncatedNormal
from initperf.initializers.uniform import Uniform

_RULES: dict[str, Independent] = {
    "normal": Normal(name="normal"),
    "uniform": Uniform(name="uniform"),
    "truncated_normal": TruncatedNormal(name="truncated_normal"),
    "clipped_normal": ClippedNormal(name="clipped_normal"),
}


@dataclass(frozen=True, kw_only=True)
class Custom(Independent):
    """The distribution named, with the parameters that it takes.

    Attributes
    ----------
    distribution : str
        ``"normal"`` (loc, scale), ``"uniform"`` (low, high), or ``"truncated_normal"`` or
        ``"clipped_normal"`` (all four).
    loc, scale : float, optional
        Mean and standard deviation, before bounds are applied; by default 0 and 1.
    low, high : float, optional
        Bounds; by default those of the initializer of the distribution's name.
    """

    distribution: str = "normal"
    loc: float | None = None
    scale: float | None = None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        self.check_choice("distribution", _RULES)
        for name in self._given():  # as the rule has checked and converted them
            object.__setattr__(self, name, getattr(self._rule, name))

    def _given(self) -> dict[str, float]:
        parameters = {"loc": self.loc, "scale": self.scale, "low": self.low, "high": self.high}
        return {name: value for name, value in parameters.items() if value is not None}

    @cached_property
    def _rule(self) -> Independent:
        return _RULES[self.distribution].replace(**self._given())

    def distribution_of(self, shape: tuple[int, ...]) -> Distribution:
        """Return the distribution with its parameters."""
        return self._rule.distribution_of(shape)


register(
    "custom",
    Custom(
        formula="normal, uniform, truncated or clipped normal (default N(0, 1))",
        cite="Robert 1995, Statistics and Computing 5, for truncation",
        in_report=False,
    ),
    aliases=("custom_distribution",),
)
