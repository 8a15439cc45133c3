"""Recipes: ordered lists of what in a model gets which rule, the first match deciding."""

import fnmatch
import functools
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import nn

from initperf._core.registry import Registry
from initperf._core.rule import Rule
from initperf.initializers import INITIALIZERS, Initializer
from initperf.torch.parameters import ROLES, Parameter

Predicate: TypeAlias = Callable[[Parameter], bool]
What: TypeAlias = str | type[nn.Module] | Predicate
Pieces: TypeAlias = Sequence[tuple[Any, Initializer]]
RuleLike: TypeAlias = str | Initializer | Callable[[Parameter], "str | Initializer | Pieces"]

KEEP = "keep"
"""The rule of parameters that are left as they are."""


@dataclass(frozen=True)
class Assign:
    """Which parameters get which rule.

    Attributes
    ----------
    what : str, type, callable, or a tuple of them
        A pattern of names as ``fnmatch`` has it (``"*.wo.weight"``), a class of modules, or a
        function from `Parameter` to bool; of a tuple, all must hold. `role` makes such a function.
    rule : str, Initializer or callable
        A rule by name, a rule, `KEEP`, or a function from `Parameter` to a rule, or to a list of
        (slices, rule) whose parts, drawn one after another, cover the parameter.
    optional : bool
        Whether it may match nothing; else that is an error.
    """

    what: What | tuple[What, ...]
    rule: RuleLike
    optional: bool = False

    def matches(self) -> Predicate:
        """Return the test whether it is about a parameter; made once, for many parameters."""
        whats = self.what if isinstance(self.what, tuple) else (self.what,)
        if len(whats) == 1:
            return _predicate(whats[0])
        tests = tuple(map(_predicate, whats))

        def all_hold(parameter: Parameter) -> bool:
            for test in tests:  # noqa: SIM110, a generator for each parameter costs more
                if not test(parameter):
                    return False
            return True

        return all_hold

    def __str__(self) -> str:
        whats = self.what if isinstance(self.what, tuple) else (self.what,)
        return " and ".join(
            repr(what) if isinstance(what, str) else getattr(what, "__name__", repr(what))
            for what in whats
        )


def _predicate(what: What) -> Predicate:
    if isinstance(what, str):
        match = _pattern(what).match
        return lambda parameter: match(parameter.name) is not None
    if isinstance(what, type):
        return lambda parameter: isinstance(parameter.module, what)
    return what


@functools.lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


@functools.cache
def role(*roles: str) -> Predicate:
    """Return the predicate of parameters of some roles.

    Parameters
    ----------
    *roles : str
        Of `initperf.torch.parameters.ROLES`.

    Raises
    ------
    ValueError
        For another word.
    """
    for each in roles:
        if each not in ROLES:
            raise ValueError(f"a role is one of {', '.join(ROLES)}, not {each!r}")

    def has_role(parameter: Parameter) -> bool:
        return parameter.role in roles

    has_role.__name__ = f"role {' or '.join(roles)}"
    return has_role


@dataclass(frozen=True, kw_only=True)
class Recipe(Rule, ABC):
    """A rule for each role of a model's parameters; see `initperf._core.rule.Rule`."""

    @abstractmethod
    def assignments(self) -> tuple[Assign, ...]:
        """Return what gets which rule; the first that matches a parameter decides."""


def _of_normalization(parameter: Parameter) -> bool:
    return parameter.is_normalization


def _slope(parameter: Parameter) -> Initializer:
    return constant(float(getattr(parameter.module, "init", 0.25)))


NORMALIZATIONS = (
    Assign(role("norm"), "ones", optional=True),
    Assign((role("bias"), _of_normalization), "zeros", optional=True),
    Assign(role("slope"), _slope, optional=True),
)
"""Gains 1 and biases 0, the identity; and the slope that ``torch.nn.PReLU`` was made with."""

BIASES = (Assign(role("bias"), "zeros", optional=True),)


@functools.lru_cache(maxsize=1024)
def constant(value: float) -> Initializer:
    """Return the rule that sets one value."""
    return INITIALIZERS["constant"].replace(value=value)


@functools.lru_cache(maxsize=1024)
def normal(std: float, cut: float | None = None) -> Initializer:
    """Return the normal distribution of mean 0 and a standard deviation.

    Parameters
    ----------
    std : float
        Standard deviation before the cut.
    cut : float, optional
        Values beyond so many standard deviations are drawn anew; by default none.
    """
    if cut is None or std == 0.0:
        return INITIALIZERS["normal"].replace(loc=0.0, scale=std)
    return INITIALIZERS["truncated_normal"].replace(scale=std, low=-cut * std, high=cut * std)


@functools.lru_cache(maxsize=1024)
def uniform(bound: float) -> Initializer:
    """Return the uniform distribution between -bound and bound."""
    return INITIALIZERS["uniform"].replace(low=-bound, high=bound)


RECIPES: Registry[Recipe] = Registry("recipe", plugins="initperf.recipes")


def register(recipe: Recipe, aliases: tuple[str, ...] = ()) -> Recipe:
    """Add a recipe under its name and aliases; its file ends with this call."""
    return RECIPES.register(recipe.name, recipe, aliases)
