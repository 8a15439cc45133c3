"""Declared fields: what they take, how they read texts, and what they say when refused."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from initperf._core.schema import Range, Record, setting, settings_of


@dataclass(frozen=True)
class Kettle(Record):
    litres: float = setting(1.5, "volume", allowed=Range(above=0.0, below=10.0), unit="l")
    cups: int = setting(4, "cups that it fills", allowed=Range(at_least=1), switch=True)
    lid: str = setting("flat", "form of the lid", allowed=("flat", "domed"))
    marks: tuple[int, ...] = setting((1, 2), "marks on the side", separator="-")
    spout: tuple[float, float] | None = setting(None, "width and length of the spout")
    note: str = setting("", "a word of your own")
    weight = 3


def test_fields_are_described_in_order():
    described = settings_of(Kettle)
    assert list(described) == ["litres", "cups", "lid", "marks", "spout", "note"]
    assert [(one.kind, one.length, one.optional) for one in described.values()] == [
        (float, 1, False),
        (int, 1, False),
        (str, 1, False),
        (int, None, False),
        (float, 2, True),
        (str, 1, False),
    ]
    assert described["litres"].unit == "l"


def test_values_are_held_in_the_declared_type():
    kettle = Kettle(litres=2, cups=True, lid="DOMED", marks=[np.int64(3)], spout=(1, np.float32(2)))
    assert kettle == Kettle(litres=2.0, cups=1, lid="domed", marks=(3,), spout=(1.0, 2.0))
    assert [type(value) for value in (kettle.litres, kettle.cups, *kettle.marks)] == [
        float,
        int,
        int,
    ]
    assert kettle.replace(cups=2).cups == 2


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("litres", 0.0, "a number above 0 and below 10"),
        ("litres", 10.0, "a number above 0 and below 10"),
        ("litres", math.nan, "a number above 0 and below 10"),
        ("litres", "2", "a number above 0 and below 10"),
        ("litres", True, "a number above 0 and below 10"),
        ("litres", None, "a number above 0 and below 10"),
        ("cups", 1.0, "an integer of at least 1"),
        ("cups", False, "an integer of at least 1"),
        ("lid", 3, "one of flat, domed"),
        ("marks", "12", "integers"),
        ("marks", (1, 2.5), "integers"),
        ("marks", 3, "integers"),
        ("spout", (1.0,), "2 numbers"),
        ("spout", (1.0, math.inf), "2 numbers"),
        ("note", 1, "a word"),
    ],
)
def test_what_is_refused_is_named_with_what_is_allowed(field, value, wanted):
    with pytest.raises(ValueError, match=rf"^{field} must be {wanted}, not ") as refused:
        Kettle(**{field: value})
    assert str(refused.value).endswith(repr(value))


def test_a_mistyped_word_is_told_the_nearest():
    with pytest.raises(ValueError, match="unknown lid 'domd'; did you mean 'domed'"):
        Kettle(lid="domd")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("litres", "2.5", 2.5),
        ("cups", "3", 3),
        ("lid", "domed", "domed"),
        ("marks", "5-6-7", (5, 6, 7)),
        ("marks", "", ()),
        ("spout", "0.5,1", (0.5, 1.0)),
    ],
)
def test_texts_are_read(field, text, value):
    declared = settings_of(Kettle)[field]
    assert declared.parse(text) == value
    assert declared.parse(str(declared.text(value))) == value


@pytest.mark.parametrize(("field", "text"), [("litres", "x"), ("cups", "1.5"), ("marks", "1-x")])
def test_texts_that_spell_no_value_are_refused(field, text):
    with pytest.raises(ValueError, match=f"{field} must be "):
        settings_of(Kettle)[field].parse(text)
