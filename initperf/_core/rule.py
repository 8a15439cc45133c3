"""Base class of initializers and schemes: a frozen record of checked parameters."""

import dataclasses
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from initperf._core.arguments import choice, number, whole
from initperf._core.markup import record
from initperf._core.nearest import nearest
from initperf.errors import DataError, RuleError, UsageError

Self = TypeVar("Self", bound="Rule")
Given = ParamSpec("Given")
Found = TypeVar("Found")

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

    @property
    def is_users_own(self) -> bool:
        """Return whether the rule's code is a user's, and no part of initperf."""
        return type(self).__module__.partition(".")[0] != "initperf"

    def guarded(
        self, function: Callable[Given, Found], *arguments: Given.args, **named: Given.kwargs
    ) -> Found:
        """Call code of the rule; where it is a user's and fails, the error names the rule.

        Parameters
        ----------
        function : callable
            A method of the rule, or what one returned.
        *arguments, **named
            Its arguments.

        Returns
        -------
        object
            What the function returns.

        Raises
        ------
        initperf.errors.RuleError
            See `blame`.
        """
        try:
            return function(*arguments, **named)
        except Exception as error:
            self.blame(error)
            raise

    def blame(self, error: Exception) -> None:
        """Raise an error of a user's code as one that names the rule, and do nothing for others.

        Others are those that say themselves what is wrong with a request or with data, MemoryError,
        which callers report with the shape, and all of initperf's own rules.

        Raises
        ------
        initperf.errors.RuleError
            With the error as its cause.
        """
        if isinstance(error, (UsageError, DataError, MemoryError)) or not self.is_users_own:
            return
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        known = f"the rule {self.name}" if self.name else f"a rule {type(self).__name__}"
        raise RuleError(f"{known} failed: {reason}") from error

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


def built(name: str, kind: type[Self]) -> Self:
    """Return a rule of a class, with its default parameters.

    Parameters
    ----------
    name : str
        Its name, for the error message.
    kind : type
        A subclass of Rule.

    Raises
    ------
    initperf.errors.RuleError
        When it needs parameters, lacks methods, or fails.
    """
    try:
        return kind()
    except Exception as error:
        raise RuleError(
            f"the rule {name} cannot be made of its class: {type(error).__name__}: {error}"
        ) from error
