import pandas as pd
import pytest

from initperf.errors import UsageError
from initperf.training.where import matching

FACTS = pd.DataFrame(
    {
        "run": ["a", "b", "c", "d"],
        "initializer": ["he_normal", "he_normal(gain=2.0, mode='fan_out')", "zeros", "zeros"],
        "depth": [2, 20, 30, 100],
        "momentum": [None, 0.5, 0.9, None],
        "base_rate": [None] * 4,
    }
)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("initializer=zeros", "cd"),
        ("initializer == zeros AND depth > 30", "d"),
        ("depth>=20 and depth<100", "bc"),
        ("depth=2,30", "ac"),
        ("depth != 2, 30", "bd"),
        ("initializer=zeros,he_normal(gain=2.0, mode='fan_out')", "bcd"),
        ("momentum<0.9", "b"),
        ("momentum!=0.5", "acd"),
        ("base_rate>0", ""),
        ("depth<=1e1", "a"),
        ("depth>1000 and initializer=zeros", ""),
    ],
)
def test_conditions_choose_rows(text, runs):
    assert "".join(matching(FACTS, text)["run"]) == runs


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a condition is COLUMN=VALUE"),
        ("depth", "a condition is COLUMN=VALUE"),
        ("depth=2 or depth=3", "depth holds numbers, and '2 or depth=3' is none"),
        ("deptf=2", "no column 'deptf'; did you mean 'depth'"),
        ("depth>deep", "depth holds numbers, and 'deep' is none"),
        ("initializer>a", "initializer holds words: compare with = or !=, not >"),
    ],
)
def test_other_conditions_are_refused(text, reason):
    with pytest.raises(UsageError, match=reason):
        matching(FACTS, text)
