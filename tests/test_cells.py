"""Cells of tables as text, and suggestions for mistyped names."""

import math

import numpy as np
import pandas as pd
import pytest

from initperf._core.cells import cell
from initperf._core.nearest import nearest, suggestion


@pytest.mark.parametrize(
    ("value", "plain", "grouped", "typographic"),
    [
        (None, "", "", "–"),
        (math.nan, "nan", "nan", "–"),
        (pd.NA, "<NA>", "<NA>", "–"),
        (0.123456, "0.1235", "0.1235", "0.1235"),
        (np.float32(-1.5e-7), "-1.5e-07", "-1.5e-07", "−1.5e−7"),
        (123456.7, "1.235e+05", "123,457", "1.235e+5"),
        (1234567, "1234567", "1234567", "1,234,567"),
        (np.int64(12345), "12345", "12345", "12,345"),
        (True, "True", "True", "True"),
        (("a", 2), "a, 2", "a, 2", "a, 2"),
        ("-", "-", "-", "-"),
    ],
)
def test_a_cell(value, plain, grouped, typographic):
    assert cell(value) == plain
    assert cell(value, grouped=True) == grouped
    assert cell(value, missing="–", typographic=True) == typographic


def test_the_nearest_name_is_suggested_or_all_are_listed():
    known = ("he_normal", "he_uniform", "zeros")
    assert nearest("he_norml", known) == "he_normal"
    assert nearest("qqqq", known) is None
    assert suggestion("he_norml", known, ()) == "did you mean 'he_normal'?"
    assert suggestion("qqqq", (), sorted(known)) == "there are he_normal, he_uniform, zeros"
