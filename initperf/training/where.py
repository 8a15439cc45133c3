"""Filters of runs in words: ``activation=relu and depth>20``."""

import operator
import re
from typing import TYPE_CHECKING, Any

from initperf._core.nearest import suggestion
from initperf.errors import UsageError

if TYPE_CHECKING:
    import pandas

_OPERATORS = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*(\w+)\s*(==|!=|<=|>=|=|<|>)\s*(.+?)\s*", re.DOTALL)


def matching(facts: "pandas.DataFrame", text: str) -> "pandas.DataFrame":
    """Return the rows that meet all conditions.

    Parameters
    ----------
    facts : pandas.DataFrame
        One row a run, see `RunStore.facts`.
    text : str
        Conditions joined by ``and``: a column, one of = != < <= > >=, and a number or a word.
        Several values, separated by commas, after = and != mean any of them, and none of them.
        Words are compared as they are written in the table, widths of layers as 64-32 or 30x64; a
        missing value meets no condition but !=.

    Raises
    ------
    initperf.errors.UsageError
        For a text that is no such condition, an unknown column, and a word where the column holds
        numbers.
    """
    for condition in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        found = _CONDITION.fullmatch(condition)
        if found is None:
            raise UsageError(
                f"a condition is COLUMN=VALUE, or with != < <= > >=, not {condition!r}"
            )
        name, sign, value = found.groups()
        if name not in facts.columns:
            names = list(facts.columns)
            raise UsageError(f"runs have no column {name!r}; {suggestion(name, names, names)}")
        facts = facts[_met(facts[name], sign, value)]
    return facts


def _met(column: "pandas.Series[Any]", sign: str, text: str) -> "pandas.Series[bool]":
    import pandas

    # a column without any value in some rows has no type of its own
    untyped = len(column) > 0 and column.isna().all()
    numeric = pandas.api.types.is_numeric_dtype(column) or untyped
    values = [_value(str(column.name), part.strip(), numeric) for part in _split(text, sign)]
    if sign in ("=", "=="):
        return column.isin(values)
    if sign == "!=":
        return ~column.isin(values)
    if not numeric:
        raise UsageError(f"{column.name} holds words: compare with = or !=, not {sign}")
    met: pandas.Series[bool] = _OPERATORS[sign](column.astype("float64"), values[0])
    return met


def _split(text: str, sign: str) -> list[str]:
    """Split values at commas, but not those of a rule's parameters."""
    return re.split(r",(?![^(]*\))", text) if sign in ("=", "==", "!=") else [text]


def _value(name: str, text: str, numeric: bool) -> Any:
    if not numeric:
        return _as_stored(name, text)
    try:
        return float(text)
    except ValueError:
        hint = ""
        if re.search(r"\s(or|and)\b", text, re.IGNORECASE):
            hint = f"; conditions are joined by and, several values by commas, as {name}=0,1"
        raise UsageError(f"{name} holds numbers, and {text!r} is none{hint}") from None


def _as_stored(name: str, text: str) -> str:
    """Return a value as runs keep it: widths of layers, which have two spellings, spelled out."""
    from initperf.training.experiment import settings

    declared = settings().get(name)
    if declared is None or declared.separator != "-":
        return text
    try:
        return str(declared.text(declared.parse(text)))
    except ValueError:  # equal to no run's
        return text
