"""Records whose fields declare their help, range and unit, checked by that declaration.

Command line options, JSON and table columns are made from the same declarations: a record with a
new field needs no change anywhere else.
"""

import dataclasses
import functools
import math
import numbers
import re
import types
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from initperf._core.arguments import elements, shown
from initperf._core.registry import Registry
from initperf._core.text import hyphenated

R = TypeVar("R", bound="Record")

_NOUNS = {int: "an integer", float: "a number", str: "a word"}
_PLURALS = {int: "integers", float: "numbers", str: "words"}
_REPEATED = re.compile(r"(\d+)x(\d+)")
_MOST_DIGITS = 6
"""Digits of the number of equal elements on the command line: no network is that deep."""

LARGEST_INTEGER = 2**63
"""Integers are below it, as tables and compiled code hold 64 bits."""


@dataclass(frozen=True)
class Range:
    """Interval of the finite numbers that a setting can take.

    Attributes
    ----------
    at_least : float
        Lower bound, itself allowed.
    above : float
        Lower bound, itself not allowed.
    below : float
        Upper bound, itself not allowed.
    """

    at_least: float = -math.inf
    above: float = -math.inf
    below: float = math.inf

    def __contains__(self, value: float) -> bool:
        return math.isfinite(value) and self.at_least <= value and self.above < value < self.below

    def __str__(self) -> str:
        bounds = []
        if math.isfinite(self.at_least):
            bounds.append(f"of at least {self.at_least:g}")
        if math.isfinite(self.above):
            bounds.append(f"above {self.above:g}")
        if math.isfinite(self.below):
            bounds.append(f"below {self.below:g}")
        return " and ".join(bounds)


def setting(
    default: Any,
    help: str,  # noqa: A002 - argparse's word for it
    *,
    allowed: Range | tuple[str, ...] | None = None,
    unit: str = "",
    registries: tuple[str, ...] = (),
    separator: str = ",",
    switch: bool = False,
    compared: bool = True,
) -> Any:
    """Declare a field of a `Record`.

    Parameters
    ----------
    default : object
        Value of the field where none is given.
    help : str
        What the setting is, in one clause.
    allowed : Range or tuple of str, optional
        Numbers or words that the field can take; any finite number, or any word, by default.
    unit : str
        Unit of a number, such as ``"steps"``.
    registries : tuple of str
        Registries, as ``"module:NAME"``, whose names a word is one of; shells complete them.
    separator : str
        Stands between the elements of a tuple on the command line.
    switch : bool
        Whether True counts as 1, and the command line option may stand without a value for it.
    compared : bool
        Whether runs must share the setting for their initializers to be compared.

    Returns
    -------
    dataclasses.Field
        Annotated as int, float, str, a tuple of one of them, or one of these ``| None``.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": help,
            "allowed": allowed,
            "unit": unit,
            "registries": registries,
            "separator": separator,
            "switch": switch,
            "compared": compared,
        },
    )


@dataclass(frozen=True)
class Setting:
    """Declaration of one field.

    Attributes
    ----------
    name : str
        Name of the field.
    kind : type
        int, float or str: of the value, or of the elements of a tuple.
    length : int or None
        1 for a single value; else the length of a tuple, None for any length.
    optional : bool
        Whether None is allowed.
    default, help, allowed, unit, registries, separator, switch, compared
        See `setting`.
    """

    name: str
    kind: type
    length: int | None
    optional: bool
    default: Any
    help: str
    allowed: Range | tuple[str, ...] | None = None
    unit: str = ""
    registries: tuple[str, ...] = ()
    separator: str = ","
    switch: bool = False
    compared: bool = True

    @property
    def wanted(self) -> str:
        """What the setting can be, in words."""
        if isinstance(self.allowed, tuple):
            return f"one of {', '.join(self.allowed)}"
        bounds = f" {self.allowed}" if self.allowed is not None else ""
        if self.length == 1:
            return f"{_NOUNS[self.kind]}{bounds}"
        count = "" if self.length is None else f"{self.length} "
        return f"{count}{_PLURALS[self.kind]}{bounds}"

    @property
    def form(self) -> str:
        """What the setting can be, and how a tuple is written on the command line, in words."""
        joined = ", joined by hyphens as 128-64, or 30x64" if self.separator == "-" else ""
        return f"{self.wanted}{joined}"

    def check(self, value: Any) -> Any:
        """Return a value in the field's type, words in canonical form.

        Raises
        ------
        ValueError
            For a value of another type or out of range; names field, value and what is allowed.
        """
        if value is None and self.optional:
            return None
        if self.length == 1:
            return self._element(value, value)
        if self.length is None and isinstance(value, numbers.Real):
            value = (value,)
        given = elements(value)
        if given is None or self.length not in (None, len(given)):
            raise self._error(value)
        return tuple(self._element(element, value) for element in given)

    def parse(self, text: str) -> Any:
        """Return the checked value that a text of the command line spells.

        Elements of a tuple are joined by the separator; where that is a hyphen, ``30x64`` stands
        for 30 elements of 64.

        Raises
        ------
        ValueError
            When it spells none.
        """
        if self.length == 1:
            return self.check(self._spelled(text))
        try:
            return self._parsed(text)
        except ValueError:
            raise ValueError(f"{self.name} must be {self.form}, not {shown(text)}") from None

    def _parsed(self, text: str) -> Any:
        spelled: list[Any] = []
        for part in text.split(self.separator) if text else []:
            repeated = _REPEATED.fullmatch(part) if self.separator == "-" else None
            count, element = repeated.groups() if repeated else ("1", part)
            if len(count) > _MOST_DIGITS:
                raise self._error(text)
            spelled += int(count) * [self._spelled(element)]
        return self.check(tuple(spelled))

    def text(self, value: Any, *, short: bool = False) -> Any:
        """Return a value as a table's cell: a tuple as `parse` reads it, all else as it is.

        Parameters
        ----------
        value : object
        short : bool
            Whether equal neighbours are written once, as ``30x64``, where `parse` reads that.
        """
        if not isinstance(value, tuple):
            return value
        if short and self.separator == "-":
            return hyphenated(value)
        return self.separator.join(map(str, value))

    def _spelled(self, text: str) -> Any:
        try:
            return self.kind(text)
        except ValueError:
            raise self._error(text) from None

    def _element(self, value: Any, whole: Any) -> Any:
        if self.kind is str:
            if not isinstance(value, str):
                raise self._error(whole)
            return _word(self.name, value, self.allowed) if self.allowed else value
        boolean = isinstance(value, bool) and not self.switch
        expected = numbers.Integral if self.kind is int else numbers.Real
        if boolean or not isinstance(value, expected):
            raise self._error(whole)
        try:
            number = self.kind(value)
        except OverflowError:  # an integer of hundreds of digits is no float
            raise self._error(whole) from None
        if self.kind is int and abs(number) >= LARGEST_INTEGER:
            raise ValueError(f"{self.name} must be below 2**63, not {shown(value)}")
        if number not in (self.allowed or Range()):
            raise self._error(whole)
        return number

    def _error(self, value: Any) -> ValueError:
        return ValueError(f"{self.name} must be {self.wanted}, not {shown(value)}")


def _word(name: str, value: str, allowed: Any) -> str:
    words: Registry[str] = Registry(name)
    for word in allowed:
        words.register(word, word)
    return words.canonical(value)


@dataclass(frozen=True)
class Record:
    """Frozen record, every field of which is declared by `setting` and checked when built."""

    def __post_init__(self) -> None:
        for name, declared in settings_of(type(self)).items():
            object.__setattr__(self, name, declared.check(getattr(self, name)))

    def replace(self: R, **changes: Any) -> R:
        """Return the record with some settings changed.

        Raises
        ------
        TypeError
            For a setting that it does not have.
        ValueError
            For a value out of range.
        """
        own = settings_of(type(self))
        for name in changes:
            if name not in own:
                raise TypeError(
                    f"{type(self).__name__} has no setting {name!r}; it has "
                    f"{', '.join(own) or 'none'}"
                )
        return dataclasses.replace(self, **changes)


def settings_of(record: type) -> dict[str, Setting]:
    """Return the declared fields of a record class by name, in order; others are left out."""
    return _settings_of(record)


def values_of(record: Record) -> dict[str, Any]:
    """Return the values of the declared fields of a record by name, in order."""
    return {name: getattr(record, name) for name in settings_of(type(record))}


@functools.cache
def _settings_of(record: type) -> dict[str, Setting]:
    hints = typing.get_type_hints(record)
    return {
        field.name: _declared(field, hints[field.name])
        for field in dataclasses.fields(record)
        if "help" in field.metadata
    }


def _declared(field: "dataclasses.Field[Any]", hint: Any) -> Setting:
    optional = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    if optional:
        (hint,) = (kind for kind in typing.get_args(hint) if kind is not type(None))
    length: int | None = 1
    if typing.get_origin(hint) is tuple:
        elements = typing.get_args(hint)
        hint, length = elements[0], None if Ellipsis in elements else len(elements)
    return Setting(field.name, hint, length, optional, field.default, **field.metadata)
