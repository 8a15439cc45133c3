"""The small tables below figures."""

import pandas as pd

from initperf_figures._numbers import by_rule


def rows(layers):
    return pd.DataFrame(
        [
            {"initializer": name, "layer": layer, "seed": seed, "size": scale * layer + seed}
            for name, scale in (("he_normal", 1.0), ("zeros", 10.0))
            for layer in layers
            for seed in (0, 1, 5)
        ]
    )


def test_medians_over_seeds_stand_at_the_first_the_middle_and_the_last_place():
    found = by_rule(rows(range(1, 8)), ["size"], "layer").set_index("initializer")
    assert list(found) == ["layer 1", "layer 4", "layer 7"]
    assert found.loc["he_normal"].tolist() == [2.0, 5.0, 8.0]
    assert found.loc["zeros"].tolist() == [11.0, 41.0, 71.0]


def test_one_place_stands_once_and_missing_numbers_are_left_out():
    table = rows([3]).assign(none=float("nan"))
    assert list(by_rule(table, ["size", "none"], "layer")) == ["initializer", "layer 3"]
