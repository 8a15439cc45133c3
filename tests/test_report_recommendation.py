"""Ranking of initializers, on runs made so that the answer is known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_tables import synthetic_tables

from initperf_figures.recommendation import conclusions, mean_interval, recommend

COLUMNS = {
    "network": "784-10",
    "dataset": "mnist",
    "dataset_size": 5000,
    "dataset_digest": "abc",
    "epochs": 2,
    "batch_size": 128,
    "learning_rate": 0.1,
    "optimizer": "sgd",
    "schedule": "constant",
    "dtype": "float32",
    "status": "finished",
}


def _runs(accuracies: Mapping[str, Sequence[float]], activation: str = "relu") -> pd.DataFrame:
    rows = [
        {"run": f"{name}-{activation}-{seed}", "initializer": name, "activation": activation}
        | {"seed": seed, "test_accuracy": accuracy}
        for name, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(**COLUMNS)


def _verdicts(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["initializer"], table["verdict"], strict=True))


def test_the_interval_is_students() -> None:
    sample = [0.97, 0.975, 0.968, 0.98]
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    assert mean_interval(sample) == pytest.approx((np.mean(sample), *expected), rel=1e-12)


def test_differences_are_paired_by_seed() -> None:
    # Seeds move both by far more than they differ: only pairing can tell them apart.
    first = [0.90, 0.95, 0.97]
    runs = _runs({"he_normal": first, "zeros": [value - 0.004 for value in first]})
    table = recommend(runs).set_index("initializer")
    assert table.loc["zeros", "verdict"] == "worse"
    assert table.loc["zeros", "behind"] == pytest.approx(0.004)
    assert table.loc["zeros", "behind_low"] == pytest.approx(0.004)
    assert conclusions([recommend(runs)]) == [
        "For ReLU, he_normal is ahead with 94.0 %, 0.4 points ahead of zeros."
    ]


def test_a_difference_within_the_noise_is_a_tie() -> None:
    table = recommend(_runs({"he_normal": [0.97, 0.972, 0.974], "lsuv": [0.971, 0.9715, 0.972]}))
    assert _verdicts(table) == {"he_normal": "best", "lsuv": "tied"}
    assert conclusions([table]) == [
        "For ReLU, he_normal and lsuv are equal to within 1 point, with 97.2 %."
    ]


def test_too_much_noise_is_no_tie() -> None:
    table = recommend(_runs({"he_normal": [0.97, 0.98, 0.97], "lsuv": [0.98, 0.5, 0.97]}))
    assert _verdicts(table)["lsuv"] == "undecided"
    assert conclusions([table]) == [
        "For ReLU, 3 seeds are too few to tell he_normal, with 97.3 %, from lsuv."
    ]


def test_an_initializer_that_diverged_is_never_tied() -> None:
    runs = _runs({"he_normal": [0.97, 0.972, 0.974], "lsuv": [0.971, 0.9715, 0.972]})
    runs.loc[runs["run"] == "lsuv-relu-0", "status"] = "diverged"
    table = recommend(runs)
    assert _verdicts(table)["lsuv"] == "undecided"
    assert list(table["diverged"]) == [0, 1]
    assert table["behind_high"].max() <= 1.0
    (sentence,) = conclusions([table])
    assert sentence.startswith("For ReLU, he_normal is ahead with 97.2 %, ")


def test_a_diverged_run_ranks_below_every_finished_one() -> None:
    accuracies = {"a_lost": [0.99, 0.99], "half_lost": [0.2, 0.99], "zeros": [0.11, 0.12]}
    runs = _runs(accuracies)
    runs.loc[runs["initializer"] == "a_lost", "status"] = "diverged"
    runs.loc[runs["run"] == "half_lost-relu-1", "status"] = "diverged"
    table = recommend(runs)
    assert list(table["initializer"]) == ["zeros", "half_lost", "a_lost"]
    assert _verdicts(table) == {"zeros": "best", "half_lost": "undecided", "a_lost": "diverged"}
    assert list(table["accuracy"]) == pytest.approx([0.115, 0.1, 0.0])


def test_nothing_is_best_when_every_run_diverged() -> None:
    runs = _runs({"he_normal": [0.97, 0.98], "lsuv": [0.5, 0.6]}).assign(status="diverged")
    table = recommend(runs)
    assert set(table["verdict"]) == {"diverged"}
    assert conclusions([table]) == ["For ReLU, every run diverged."]


def test_equal_means_are_ranked_by_the_epochs_to_the_level_and_have_no_winner() -> None:
    same = [0.96, 0.97]
    runs = _runs({"glorot_normal": same, "he_normal": same, "zeros": [0.1, 0.1]})
    epochs = pd.DataFrame({"run": [run for run in runs["run"] for _ in range(2)]})
    epochs = epochs.assign(epoch=[1, 2] * 6, test_accuracy=[0.5, 0.96] * 2 + [0.96, 0.96] * 4)
    epochs.loc[8:, "test_accuracy"] = 0.1
    table = recommend(runs, epochs)
    assert list(table["initializer"]) == ["he_normal", "glorot_normal", "zeros"]
    assert list(table["epochs_to_level"][:2]) == [1.0, 2.0]
    assert list(table["verdict"]) == ["best", "tied", "worse"]
    assert conclusions([table]) == [
        "For ReLU, he_normal and glorot_normal are equal to within 1 point, with 96.5 %."
    ]


def test_scatter_alone_makes_no_tie() -> None:
    """One of ten scatters forty times as much: undecided itself, it hides nothing of the others."""
    rng = np.random.default_rng(0)
    accuracies = {f"good_{k}": 0.97 + rng.normal(0.0, 0.0005, 3) for k in range(8)}
    accuracies |= {"lower": 0.965 + rng.normal(0.0, 0.0005, 3), "wild": [0.99, 0.95, 0.97]}
    verdicts = _verdicts(recommend(_runs({k: list(v) for k, v in accuracies.items()})))
    assert verdicts.pop("wild") == "undecided"
    assert verdicts.pop("lower") == "worse"
    assert sorted(verdicts.values()) == ["best", *["tied"] * 7]


def test_the_error_of_the_test_set_is_stated_where_its_size_is_known() -> None:
    runs = _runs({"he_normal": [0.92, 0.92], "zeros": [0.1, 0.1]})
    assert recommend(runs)["test_error"].isna().all()
    table = recommend(runs.assign(test_images=1000))
    # 1.96 √(0.92 · 0.08 / 1,000)
    assert table["test_error"].iloc[0] == pytest.approx(0.016815, abs=1e-6)


def test_a_run_without_accuracy_counts_as_zero() -> None:
    table = recommend(_runs({"he_normal": [0.9, 0.9], "large_normal": [0.9, np.nan]}))
    assert list(table["accuracy"]) == pytest.approx([0.9, 0.45])


def test_one_seed_decides_nothing() -> None:
    table = recommend(_runs({"he_normal": [0.97], "zeros": [0.1]}))
    assert _verdicts(table) == {"he_normal": "best", "zeros": "undecided"}
    assert "one seed cannot tell" in conclusions([table])[0]


def test_the_level_is_one_that_every_activation_reaches() -> None:
    runs = pd.concat(
        [_runs({"he_normal": [0.96, 0.96]}), _runs({"he_normal": [0.91, 0.91]}, "tanh")]
    )
    epochs = pd.DataFrame(
        {"run": [run for run in runs["run"] for _ in range(3)], "epoch": [0, 1, 2] * 4}
    ).assign(test_accuracy=[0.1, 0.8, 0.96, 0.1, 0.92, 0.96, 0.1, 0.2, 0.91, 0.1, 0.2, 0.91])
    table = recommend(runs, epochs)
    assert set(table["level"]) == {0.9}
    assert list(table["epochs_to_level"]) == [1.5, 2.0]


def test_a_level_that_is_never_reached_has_no_epoch() -> None:
    tables = synthetic_tables(
        names=("zeros", "he_normal"), activations=("relu",), epochs=3, steps_per_epoch=8
    )
    table = recommend(tables["runs"], tables["epochs"])
    assert table.loc[table["initializer"] == "zeros", "epochs_to_level"].isna().all()


def test_the_textbook_is_asked_about_names_it_knows() -> None:
    table = recommend(_runs({"he_normal": [0.97, 0.98], "brand_new": [0.5, 0.6]}))
    assert list(table["textbook"]) == [True, False]


def test_runs_on_different_data_are_not_ranked() -> None:
    runs = _runs({"he_normal": [0.97, 0.98]})
    runs.loc[0, "dataset_digest"] = "xyz"
    with pytest.raises(ValueError, match="abc, xyz"):
        recommend(runs)
