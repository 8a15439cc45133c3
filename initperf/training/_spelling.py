"""Rules of experiments as text and as JSON: a registered name, and the parameters that differ.

``he_normal`` is the registered rule, ``he_normal(gain=5.0)`` the same with another gain. A rule
among the parameters is written as a call, ``keras.Dense(weights=he_normal())``.
"""

import ast
import dataclasses
import sys
from typing import Any

from initperf._core.arguments import shown
from initperf._core.rule import Rule
from initperf.initializers import INITIALIZERS, Initializer
from initperf.schemes import SCHEMES, Scheme, find


def rule_of(text: str) -> Initializer | Scheme:
    """Return the initializer or the scheme that a text names.

    Raises
    ------
    UnknownNameError
        For a name that neither has.
    TypeError, ValueError
        For parameters that cannot be read, or that the rule does not take.
    """
    name, bracket, rest = text.partition("(")
    if not bracket:
        return find(name)
    rule = find(name)
    try:
        call = ast.parse(f"rule({rest}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or call.args or not isinstance(call.func, ast.Name):
        raise ValueError(
            f"a rule is spelled as its name with parameters, he_normal(gain=2), not {shown(text)}"
        )
    given = {str(one.arg): _value(one.value, text) for one in call.keywords}
    return rule.replace(**given) if given else rule


def _value(node: ast.expr, text: str) -> Any:
    if isinstance(node, ast.Call):
        return rule_of(ast.unparse(node))
    if isinstance(node, ast.Name):
        return node.id
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise ValueError(
            f"{shown(ast.unparse(node))} in {shown(text)} is no number, word or tuple of them"
        ) from None


def spelled(rule: Rule) -> str:
    """Return the text that `rule_of` reads as a rule equal to this one.

    Parameters
    ----------
    rule : Initializer or Scheme
        Registered, or of the class of a registered one.

    Raises
    ------
    ValueError
        For a rule of a class that is not registered, or with a parameter that is neither a
        number, a word, a tuple of them nor a rule: no text gives it back.
    """
    name, parameters = _parts(rule)
    if not parameters:
        return name
    listed = ", ".join(f"{key}={_text(rule, key, value)}" for key, value in parameters.items())
    return f"{name}({listed})"


def to_dict(rule: Rule) -> dict[str, Any]:
    """Return the name of a rule and the parameters that differ, for JSON; see `spelled`."""
    name, parameters = _parts(rule)
    spelled(rule)  # refuses parameters that JSON cannot hold either
    return {
        "name": name,
        "parameters": {
            key: to_dict(value) if isinstance(value, Rule) else value
            for key, value in parameters.items()
        },
    }


def from_dict(made: dict[str, Any]) -> Initializer | Scheme:
    """Return the rule of a dictionary of `to_dict`, also one that JSON has given back.

    Raises
    ------
    KeyError, TypeError, ValueError
        For another dictionary, an unknown name, and parameters that the rule does not take.
    """
    rule = find(made["name"])
    given = {key: _from_json(value) for key, value in made["parameters"].items()}
    return rule.replace(**given) if given else rule


def check_imported(made: Any) -> None:
    """Check that an experiment read from a file names no module that would have to be imported.

    A rule named ``module:object`` is imported where somebody types its name; a file must not make
    initperf run code.

    Parameters
    ----------
    made : object
        What JSON has given back.

    Raises
    ------
    ValueError
        Naming the rule.
    """
    if isinstance(made, dict):
        for value in made.values():
            check_imported(value)
    elif isinstance(made, list):
        for value in made:
            check_imported(value)
    elif isinstance(made, str):
        module, colon, _ = made.partition(":")
        if colon and module.replace(".", "_").isidentifier() and module not in sys.modules:
            raise ValueError(f"it names {shown(made)}: import {module} first to read it")


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return from_dict(value)
    return tuple(map(_from_json, value)) if isinstance(value, list) else value


def parameters_of(rule: Rule) -> dict[str, Any]:
    """Return all parameters of a rule by name."""
    return {one.name: getattr(rule, one.name) for one in dataclasses.fields(rule) if one.compare}


def _parts(rule: Rule) -> tuple[str, dict[str, Any]]:
    """Return the name of the registered rule that a rule is a variant of, and what differs."""
    registry = INITIALIZERS if isinstance(rule, Initializer) else SCHEMES
    if rule.name:
        base = registry.get(rule.name)
        candidates = {rule.name: base} if type(base) is type(rule) else {}
    else:
        candidates = {name: one for name, one in registry.items() if type(one) is type(rule)}
    family = type(rule).__module__.rpartition(".")[2]
    found = [(name, _different(rule, base)) for name, base in candidates.items() if base]
    if not found:
        package = "initializers" if isinstance(rule, Initializer) else "schemes"
        raise ValueError(
            f"an experiment takes rules that are registered, so that its runs can be repeated: "
            f"call initperf.{package}.register(name, rule, replace=True) before, "
            f"with a name for {shown(rule)}"
        )
    return min(found, key=lambda one: (len(one[1]), one[0] != family, one[0]))


def _different(rule: Rule, base: Rule) -> dict[str, Any]:
    known = parameters_of(base)
    return {key: value for key, value in parameters_of(rule).items() if value != known[key]}


def _text(rule: Rule, key: str, value: Any) -> str:
    if isinstance(value, Rule):
        inner = spelled(value)
        return inner if inner.endswith(")") else f"{inner}()"
    if isinstance(value, tuple):
        return f"({', '.join(_text(rule, key, one) for one in value)}{',' * (len(value) == 1)})"
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)
    if isinstance(value, float):
        return repr(value).replace("inf", "1e999")  # the literal of an infinite number
    raise ValueError(
        f"an experiment keeps parameters that are numbers, words, tuples of them or rules, and "
        f"{key} of {rule.name or type(rule).__name__} is {shown(value)}"
    )
