"""Base class of initializers and schemes: a frozen record of checked parameters."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from initperf._core.arguments import choice, number, whole
from initperf._core.markup import record
from initperf._core.nearest import nearest

Self = TypeVar("Self", bound="Rule")

_NAMES_HERE = {
    "std": "scale",
    "stddev": "scale",
    "sigma": "scale",
    "mean": "loc",
    "minval": "low",
    "maxval": "high",
    "val": "value",
    "negative_slope": "a",
}
"""Names of parameters in PyTorch, Keras, JAX and textbooks, and what they are called here."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule for first weights, with parameters; frozen, and checked when built.

    A subclass calls the methods ``check_…`` in its ``__post_init__``. They replace the parameters
    of NumPy's or other types by Python's own, so that no draw is compiled again, or rounded, for
    the type of a parameter.

    Attributes
    ----------
    name : str
        The name it is registered under; empty for one built by hand.
    formula : str
        The rule in one line: n is the fan-in, m the fan-out, L the number of residual layers.
    cite : str
        The paper or other source.
    suits : tuple of str
        The activations it is recommended for.
    """

    name: str = field(default="", compare=False, repr=False)
    formula: str = field(default="", compare=False, repr=False)
    cite: str = field(default="", compare=False, repr=False)
    suits: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def check_numbers(
        self,
        *names: str,
        least: float = -math.inf,
        most: float = math.inf,
        positive: bool = False,
    ) -> None:
        """Check parameters to be finite numbers within bounds, and hold them as Python floats.

        Parameters
        ----------
        *names : str
            Their names.
        least, most : float
            The smallest and the largest value allowed.
        positive : bool
            Whether only numbers above 0 are allowed.

        Raises
        ------
        ValueError
            Naming the parameter, its value and what is allowed.
        """
        for name in names:
            value = getattr(self, name)
            found = number(name, value, least=least, most=most, positive=positive)
            object.__setattr__(self, name, found)

    def check_integers(self, *names: str, least: int | None = None) -> None:
        """Check parameters to be integers, and hold them as Python ints.

        Parameters
        ----------
        *names : str
            Their names.
        least : int, optional
            The smallest value allowed.

        Raises
        ------
        ValueError
            Naming the parameter, its value and what is allowed.
        """
        for name in names:
            object.__setattr__(self, name, whole(name, getattr(self, name), least))

    def check_choice(self, name: str, allowed: Iterable[str]) -> None:
        """Check a parameter to be one of some words.

        Parameters
        ----------
        name : str
            Its name.
        allowed : iterable of str
            The words.

        Raises
        ------
        ValueError
            Naming the parameter, its value, what is allowed, and the nearest of the words.
        """
        object.__setattr__(self, name, choice(name, getattr(self, name), allowed))

    def _repr_html_(self) -> str:
        """Return the rule as notebooks show it: formula, parameters and source."""
        parameters = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.compare}
        facts = {"formula": self.formula, **parameters, "for": self.suits, "source": self.cite}
        return record(self.name or type(self).__name__, facts)

    def replace(self: Self, **parameters: Any) -> Self:
        """Return the rule with some parameters changed.

        Parameters
        ----------
        **parameters
            New values, by the names of the parameters.

        Raises
        ------
        TypeError
            For a parameter that the rule does not have.
        ValueError
            For a value that it does not take.
        """
        allowed = [f.name for f in dataclasses.fields(self) if f.compare]
        for name in parameters:
            if name not in allowed:
                here = _NAMES_HERE.get(name, "")
                near = here if here in allowed else nearest(name, allowed)
                hint = f"; did you mean {near!r}?" if near else ""
                raise TypeError(
                    f"{self.name or type(self).__name__} has no parameter {name!r}; "
                    f"it has {', '.join(allowed) or 'none'}{hint}"
                )
        return dataclasses.replace(self, **parameters)
