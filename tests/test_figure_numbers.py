"""The small tables below figures, and the words about depth and learning rate."""

import math

import pandas as pd
import pytest
from synthetic_tables import synthetic_tables

from initperf_figures import FIGURES
from initperf_figures._numbers import accuracies, by_rule
from initperf_figures._sensitivity import depth_words, rate_words, sensitivity_sentences


def test_places_are_the_first_the_middle_and_the_last() -> None:
    rows = [
        (name, seed, layer, 100 * seed + layer)
        for name in ("he_normal", "zeros")
        for seed in (1, 2, 3)
        for layer in (1, 2, 3, 4, 5)
    ]
    table = pd.DataFrame(rows, columns=["initializer", "seed", "layer", "size"])
    found = by_rule(table, ["size"], "layer")
    # medians over seeds, in the order of figures: constants first
    assert found.to_dict("list") == {
        "initializer": ["zeros", "he_normal"],
        "layer 1": [201, 201],
        "layer 3": [203, 203],
        "layer 5": [205, 205],
    }
    two = by_rule(table.assign(other=0.5, none=math.nan), ["size", "other", "none"], "layer")
    assert [name for name in two if name.startswith("other")] == [
        "other, layer 1",
        "other, layer 3",
        "other, layer 5",
    ]
    assert not [name for name in two if name.startswith("none")]


def test_accuracies_are_counted_over_seeds() -> None:
    runs = pd.DataFrame(
        [
            ("relu", "he_normal", "finished", 0.8),
            ("relu", "he_normal", "finished", 0.9),
            ("relu", "he_normal", "diverged", math.nan),
        ],
        columns=["activation", "initializer", "status", "test_accuracy"],
    )
    (row,) = accuracies({"runs": runs}).to_dict("records")
    assert (row["seeds"], row["diverged"], row["min"], row["max"]) == (2, 1, 0.8, 0.9)
    assert row["mean"] == pytest.approx(0.85, rel=1e-12)


@pytest.mark.slow
def test_each_figure_counts_what_it_draws() -> None:
    tables = synthetic_tables(epochs=2, steps_per_epoch=20)
    for name, figure in FIGURES.items():
        found = figure.count(tables)
        assert figure.printed or found is not None, name
        if found is not None:
            # as many as a reader scrolls through, and no row or column that is empty throughout
            assert 0 < len(found) <= 120, name
            assert found.notna().any(axis=1).all(), name
            assert list(found.columns) == list(dict.fromkeys(found.columns)), name
    symmetric = FIGURES["symmetry"].count(tables)
    assert symmetric is not None
    units = symmetric.set_index(["initializer", "activation"])["different_units"]
    assert set(units["zeros"]) == {1}
    fills = FIGURES["fill_scaling"].count(tables)
    assert fills is not None
    assert fills["workload"].str.startswith("fill_").all()


SENSITIVITY = pd.DataFrame(
    [
        ("relu", "he_normal", 40.0, 35.0, math.inf, "at least", 10, 0.01, 0.2, 1.3, True),
        ("relu", "glorot_uniform", 9.4, 8.2, 11.3, "", 10, 0.05, 0.1, 0.301, False),
        ("relu", "zeros", 2.0, 0.0, 2.0, "at most", 10, *[math.nan] * 3, False),
    ],
    columns=[
        *("activation", "initializer", "learns_until", "low", "high", "bound"),
        *("rate_depth", "good_low", "good_high", "good_decades", "good_open"),
    ],
)


def test_depth_and_rate_are_said_in_words() -> None:
    rows = list(SENSITIVITY.itertuples())
    assert [depth_words(row) for row in rows] == ["at least 40", "9 (8 to 11)", "at most 2"]
    assert [rate_words(row) for row in rows] == ["0.01 to 0.2 or wider", "0.05 to 0.1", "–"]
    assert sensitivity_sentences(SENSITIVITY) == [
        "Depth, with ReLU: he_normal learns deepest, until at least 40 hidden layers, "
        "glorot_uniform until 9 (8 to 11). At depth 10, learning rates of 0.01 to 0.2 or wider "
        "are good for he_normal, a factor of 20; for glorot_uniform it is 2, the least."
    ]
