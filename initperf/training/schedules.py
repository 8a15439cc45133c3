"""Learning rates by step, one record each: constant, triangular and cosine."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from initperf._core.registry import Registry
from initperf._core.schema import Range, Record, setting

__all__ = ["SCHEDULES", "Range", "Schedule", "register", "setting"]

_LOWEST = 0.01


@dataclass(frozen=True)
class Schedule(Record):
    """Schedule of learning rates, to be derived from; its fields are its settings.

    Attributes
    ----------
    name : str
        Canonical name.
    formula : str
        The rate in one line: highest rate η, lowest rate ζ, step t, steps in all T.
    cite : str
        Paper or source.
    aliases : tuple of str
        Other names.
    """

    name: ClassVar[str]
    formula: ClassVar[str]
    cite: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()

    def check(self, highest_rate: float) -> None:
        """Check that the settings go with a highest rate; raise ValueError if not."""

    def rates(self, highest_rate: float, first: int, count: int, total: int) -> Any:
        """Return the learning rates of consecutive steps.

        Parameters
        ----------
        highest_rate : float
            The experiment's learning rate, the highest that a schedule takes.
        first : int
            Number of the first of these steps, counted from 0.
        count : int
            How many steps.
        total : int
            Steps of the whole run.

        Returns
        -------
        numpy.ndarray
            (count,) float64.
        """
        raise NotImplementedError


SCHEDULES: Registry[Schedule] = Registry("schedule", plugins="initperf.schedules")

register = SCHEDULES.register_class
"""Add a schedule, with default settings; a decorator of its record, with name, formula, cite."""


@register
@dataclass(frozen=True)
class Constant(Schedule):
    """One rate."""

    name = "constant"
    formula = "η"
    cite = "Robbins & Monro 1951"

    def rates(self, highest_rate: float, first: int, count: int, total: int) -> Any:
        """Return the same rate for all steps."""
        return np.full(count, highest_rate)


@dataclass(frozen=True)
class _Falling(Schedule):
    base_rate: float | None = setting(
        None,
        "lowest learning rate; by default a hundredth of the highest",
        allowed=Range(at_least=0.0),
    )

    def lowest(self, highest_rate: float) -> float:
        """Return the lowest rate."""
        return _LOWEST * highest_rate if self.base_rate is None else self.base_rate

    def check(self, highest_rate: float) -> None:
        """Check that the lowest rate is not above the highest; raise ValueError if it is."""
        if self.base_rate is not None and self.base_rate > highest_rate:
            raise ValueError(
                f"base_rate must be at most learning_rate, {highest_rate!r}, not {self.base_rate!r}"
            )


@register
@dataclass(frozen=True)
class Triangular(_Falling):
    """Rates that rise from the lowest to the highest and fall again, in straight lines."""

    name = "triangular"
    formula = "ζ + (η − ζ) (1 − |t/h mod 2 − 1|), h the half cycle"
    cite = "Smith 2017, arXiv:1506.01186"

    half_cycle: int = setting(
        2000, "steps of each rise and of each fall", allowed=Range(at_least=1), unit="steps"
    )

    def rates(self, highest_rate: float, first: int, count: int, total: int) -> Any:
        """Return the rates of consecutive steps."""
        lowest, steps = self.lowest(highest_rate), np.arange(first, first + count)
        position = np.abs((steps / self.half_cycle + 1.0) % 2.0 - 1.0)
        return lowest + (highest_rate - lowest) * position


@register
@dataclass(frozen=True)
class Cosine(_Falling):
    """Rates that fall from the highest to the lowest along half a cosine, after a linear rise."""

    name = "cosine"
    formula = "ζ + (η − ζ) (1 + cos(πt/T)) / 2"
    cite = "Loshchilov & Hutter 2017, arXiv:1608.03983"

    warm_up_steps: int = setting(
        0, "steps of the linear rise from 0", allowed=Range(at_least=0), unit="steps"
    )

    def rates(self, highest_rate: float, first: int, count: int, total: int) -> Any:
        """Return the rates of consecutive steps."""
        lowest, steps = self.lowest(highest_rate), np.arange(first, first + count)
        rise = self.warm_up_steps
        after = np.clip((steps - rise) / max(1, total - rise), 0.0, 1.0)
        rates = lowest + (highest_rate - lowest) * (0.5 + 0.5 * np.cos(np.pi * after))
        if not rise:
            return rates
        return np.where(steps < rise, (steps + 1) / rise * highest_rate, rates)
