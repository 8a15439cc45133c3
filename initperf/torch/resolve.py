"""Recipes and rules from what users give: names, initializers, mappings and lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initperf._core.registry import UnknownNameError
from initperf.errors import UnsuitableError
from initperf.initializers import INITIALIZERS, Initializer
from initperf.torch.data_rules import refuse_data_rules
from initperf.torch.parameters import Parameter
from initperf.torch.recipe import NORMALIZATIONS, RECIPES, Assign, Recipe, role


@dataclass(frozen=True, kw_only=True)
class Listed(Recipe):
    """A recipe of a list.

    Attributes
    ----------
    listed : tuple of Assign
    """

    listed: tuple[Assign, ...] = ()

    def assignments(self) -> tuple[Assign, ...]:
        """Return the list."""
        return self.listed


@dataclass(frozen=True, kw_only=True)
class OneRule(Recipe):
    """One rule for all weights and embeddings; normalizations start as identities, biases as 0.

    Attributes
    ----------
    rule : Initializer
    """

    rule: Initializer

    def assignments(self) -> tuple[Assign, ...]:
        """Return the rule, and what stands beside weights."""
        return (
            *NORMALIZATIONS,
            Assign(role("weight", "embedding"), self.rule, optional=True),
            Assign(role("bias"), "zeros", optional=True),
        )


def as_recipe(recipe: Any, parameters: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a name, a rule, a mapping or a list stands for.

    Parameters
    ----------
    recipe : str, Initializer, Recipe, mapping or sequence
        The name of a recipe or of an initializer; a rule for all weights; or what gets which
        rule, as a mapping, a list of pairs or a list of `Assign`.
    parameters : mapping of str to object
        Parameters of the recipe, or of the one rule, that shall differ.

    Raises
    ------
    TypeError
        For anything else, or a parameter that it has not.
    UnknownNameError
        For an unknown name; the message says the nearest.
    """
    if isinstance(recipe, str):
        recipe = _named(recipe)
    if isinstance(recipe, Initializer):
        return OneRule(name=recipe.name, rule=recipe.replace(**parameters))
    if isinstance(recipe, Recipe):
        return recipe.replace(**parameters)
    if parameters:
        raise TypeError(f"a list of rules has no parameters, and {', '.join(parameters)} is given")
    pairs = recipe.items() if isinstance(recipe, Mapping) else recipe
    if not isinstance(pairs, Sequence) and not isinstance(recipe, Mapping):
        raise TypeError(
            "recipe must be the name of a recipe or an initializer, one of these, or what gets "
            f"which rule, not {type(recipe).__name__}"
        )
    return Listed(listed=tuple(_assign(pair) for pair in pairs))


def _assign(pair: Any) -> Assign:
    if isinstance(pair, Assign):
        return pair
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise TypeError(f"a recipe's list holds pairs (what, rule), not {pair!r}")
    return Assign(*pair)


def _named(name: str) -> Recipe | Initializer:
    refuse_data_rules(name)
    if name in RECIPES:
        return RECIPES[name]
    if name in INITIALIZERS:
        return INITIALIZERS[name]
    hints = []
    for registry in (INITIALIZERS, RECIPES):
        try:
            registry.canonical(name)
        except UnknownNameError as error:
            hints.append(str(error))
    near = [hint for hint in hints if "did you mean" in hint]
    known = f"there are the recipes {', '.join(RECIPES)}, and all initializers"
    raise UnknownNameError(near[0] if near else f"unknown recipe or initializer {name!r}; {known}")


def named_rule(name: str) -> Initializer:
    """Return the initializer of a name.

    Raises
    ------
    UnsuitableError
        For a rule that looks at data.
    UnknownNameError
        For an unknown name; the message says the nearest.
    """
    try:
        return INITIALIZERS[name]
    except UnknownNameError:
        refuse_data_rules(name)
        raise


def as_rule(found: Any, parameter: Parameter) -> Initializer:
    """Return the rule that a name or a rule stands for.

    Raises
    ------
    UnsuitableError
        For anything else, by the parameter's name.
    """
    rule = named_rule(found) if isinstance(found, str) else found
    if not isinstance(rule, Initializer):
        raise UnsuitableError(
            f"{parameter.name}: a rule must be an initializer or its name, not {found!r}"
        )
    return rule
