"""Grids of experiments: axes, parameters of rules, and files in TOML."""

import itertools
import os
import tomllib
from collections.abc import Iterator
from typing import Any

from initperf._core.nearest import suggestion
from initperf._core.reading import read_text
from initperf.errors import DataError, UnsuitableError, UsageError
from initperf.training.axes import AXES, INSTEAD, VARIANCES
from initperf.training.experiment import Experiment, settings

_PARAMETERS = "parameters"


def grid(**fields: Any) -> Iterator[Experiment]:
    """Make the experiments of a grid, the last axis varying fastest, equal ones once.

    Parameters
    ----------
    **fields
        Settings of `Experiment` by their flat names, and `AXES`: ``depth`` and ``width`` instead
        of ``hidden``, ``weight_variance`` and ``bias_variance`` instead of ``initializer``. A list
        stands for all its values. ``parameters`` is a dictionary of parameters of rules, with
        lists likewise; rules without one of these parameters take the others.

    Yields
    ------
    Experiment

    Raises
    ------
    TypeError, ValueError
        As `Experiment`; for a list without values, and a parameter that no rule of the grid has.

    Examples
    --------
    >>> made = grid(depth=[2, 20], width=64, parameters={"gain": [1.0, 2.0]})
    >>> [(len(one.hidden), one.initializer) for one in made][1:3]
    [(20, 'he_normal'), (2, 'he_normal(gain=2.0)')]
    """
    for chosen in choices(**fields):
        yield Experiment(**chosen)


def suitable(**fields: Any) -> tuple[list[Experiment], list[str]]:
    """Make the experiments of a grid that are possible.

    Parameters
    ----------
    **fields
        See `grid`.

    Returns
    -------
    tuple of list
        Experiments, and for each rule that does not suit a network of the grid the reason.

    Raises
    ------
    UnsuitableError
        When none is possible.
    """
    made: dict[Experiment, None] = {}
    reasons: dict[str, None] = {}
    for chosen in choices(**fields):
        try:
            made[Experiment(**chosen)] = None
        except UnsuitableError as error:
            reasons[f"{chosen.get('initializer', '')}: {error}"] = None
    if reasons and not made:
        raise UnsuitableError(next(iter(reasons)).partition(": ")[2])
    return list(made), list(reasons)


def choices(**fields: Any) -> Iterator[dict[str, Any]]:
    """Give the settings of each experiment of a grid; see `grid`."""
    given = {name: _listed(name, values) for name, values in fields.items() if name != _PARAMETERS}
    for alone, pair in INSTEAD.items():
        both = [name for name in pair if name in given]
        if both and alone in given:
            raise ValueError(f"{both[0]} and {alone} exclude each other")
    if "depth" in given and "width" not in given:
        raise ValueError("depth needs width, the units of each hidden layer")
    if "width" in given and "depth" not in given:
        raise ValueError("width needs depth, the number of hidden layers")
    given = _rules(given, dict(fields.get(_PARAMETERS, {})))
    seen: set[str] = set()
    for values in itertools.product(*given.values()):
        chosen = dict(zip(given, values, strict=True))
        if "depth" in chosen:
            depth, width = (_positive(name, chosen.pop(name)) for name in ("depth", "width"))
            chosen["hidden"] = (width,) * depth
        if repr(chosen) not in seen:
            seen.add(repr(chosen))
            yield chosen


def _listed(name: str, values: Any) -> list[Any]:
    found = values if isinstance(values, list) else [values]
    if not found:
        raise ValueError(f"{name} has no values: the grid is empty")
    return found


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ValueError(f"{name} must be an integer from 1 to {_MOST:,}, not {value!r}")
    return value


_MOST = 1_000_000


def _rules(given: dict[str, list[Any]], parameters: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the axes with those of rules joined into one axis of rules with their parameters."""
    from initperf._core.rule import Rule
    from initperf.training._spelling import parameters_of, rule_of, spelled

    of_fields = {name: given[name] for name in VARIANCES if name in given}
    lists = of_fields | {name: _listed(name, values) for name, values in parameters.items()}
    if not lists:
        return given
    names = given.get("initializer", ["mean_field"] if of_fields else ["he_normal"])
    rules = [one if isinstance(one, Rule) else rule_of(one) for one in names]
    has = {key: None for rule in rules for key in parameters_of(rule)}
    for name in lists:
        if name not in has:
            whose = ", ".join(dict.fromkeys(rule.name for rule in rules))
            raise ValueError(f"no parameter {name!r} of {whose}; {suggestion(name, has, has)}")
    texts: dict[str, None] = {}
    for rule in rules:
        own = [name for name in lists if name in parameters_of(rule)]
        for values in itertools.product(*(lists[name] for name in own)):
            texts[spelled(rule.replace(**dict(zip(own, values, strict=True))))] = None
    others = {name: values for name, values in given.items() if name not in VARIANCES}
    return {"initializer": list(texts)} | {k: v for k, v in others.items() if k != "initializer"}


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the axes of a grid from a TOML file.

    Parameters
    ----------
    path : path
        Its keys are settings of experiments and `AXES`, with a value or a list of values each;
        hidden widths are texts such as ``"64-32"`` and ``"30x64"``. A table ``[parameters]`` has
        those of rules.

    Returns
    -------
    dict
        As `grid` takes it.

    Raises
    ------
    initperf.errors.DataError
        For a file that cannot be read, is no TOML, or says nothing.
    initperf.errors.UsageError
        For an unknown key, and a value that a setting cannot have.
    """
    try:
        made = tomllib.loads(read_text(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"no readable grid {os.fspath(path)!r}: {reason}") from None
    if not made:
        raise DataError(f"the grid {os.fspath(path)!r} is empty")
    known = settings()
    for name in made:
        if name not in known and name not in AXES and name != _PARAMETERS:
            names = [*known, *AXES, _PARAMETERS]
            hint = suggestion(name, names, names)
            raise UsageError(f"{os.fspath(path)}: unknown key {name!r}; {hint}")
    if not isinstance(made.get(_PARAMETERS, {}), dict):
        raise UsageError(f"{os.fspath(path)}: parameters must be a table, [parameters]")
    try:
        return {name: _setting(name, value) for name, value in made.items()}
    except (TypeError, ValueError) as error:
        raise UsageError(f"{os.fspath(path)}: {error}") from None


def _setting(name: str, value: Any) -> Any:
    declared = settings().get(name)
    if declared is None:
        return value
    several = isinstance(value, list) and (
        declared.length == 1 or all(isinstance(one, (list, str)) for one in value)
    )
    values = [
        parse(name, one) if isinstance(one, str) else declared.check(one)
        for one in (value if several else [value])
    ]
    return values if several else values[0]


def parse(name: str, text: str) -> Any:
    """Return the value of a setting that a text spells; ``30x64`` is 30 hidden layers of 64.

    Parameters
    ----------
    name : str
        Flat name of the setting.
    text : str

    Raises
    ------
    ValueError
        When it spells none.
    """
    declared = settings()[name]
    if name == "hidden" and "" in text.split(declared.separator):
        raise ValueError(f"{name} must be {declared.wanted}, as 64-32 or 30x64, not {text!r}")
    depth, cross, width = text.partition("x")
    if name == "hidden" and cross and depth.isdecimal() and width.isdecimal():
        counts = [_positive(name, int(count[:9])) for count in (depth, width)]
        return declared.check((counts[1],) * counts[0])
    return declared.parse(text)
