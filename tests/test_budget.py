"""The budget of a timing, and its share of passes and preparations."""

import pytest

from initperf.benchmarks.budget import Budget


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("least_rounds", 1),
        ("seconds", -1.0),
        ("seconds", float("nan")),
        ("precision", -0.1),
        ("pause_seconds", -1.0),
        ("preparations", 0),
        ("least_preparations", 0),
    ],
)
def test_fields_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        Budget(**{name: value})


def test_passes_share_seconds_rounds_and_preparations():
    whole = Budget(seconds=3.0, least_rounds=7, pause_seconds=0.1, preparations=10)
    share = whole.of_one_pass(3)
    assert (share.seconds, share.least_rounds, share.pause_seconds) == (1.0, 3, 0.1)
    assert (share.preparations, share.least_preparations) == (4, 1)
    assert whole.of_one_pass(1) == whole
    many = Budget(least_rounds=2, preparations=2).of_one_pass(9)
    assert (many.least_rounds, many.preparations) == (2, 2)
    assert Budget().of_one_pass(3).preparations == 1


def test_preparations_share_seconds_and_rounds():
    share = Budget(seconds=3.0, least_rounds=50, preparations=10).of_one_preparation()
    assert (share.seconds, share.least_rounds, share.preparations) == (0.3, 5, 1)
    assert Budget(least_rounds=5, preparations=10).of_one_preparation().least_rounds == 3
    assert Budget().of_one_preparation() == Budget()
