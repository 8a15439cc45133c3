"""Until which depth rules learn and at which rates: of a report's runs, or of those shipped."""

import dataclasses
import math

import pytest

from initperf import Experiment, train
from initperf.report.sensitivity import sensitivity_table
from initperf.report.trainability.trial_files import shipped


@pytest.fixture(scope="module")
def run():
    """A run whose results are replaced: only its experiment is of this test."""
    return train(
        Experiment("he_normal", hidden=(4,), epochs=1, dataset="mnist_5k", backend="numpy")
    )


def ran(run, accuracy, **settings):
    experiment = Experiment("he_normal", "relu", epochs=1, dataset="mnist_5k", **settings)
    return dataclasses.replace(
        run, experiment=experiment, test_accuracy=accuracy, status="finished"
    )


def test_three_depths_of_ones_own_tell(run):
    accuracies = {2: 0.9, 8: 0.9, 32: 0.1}
    runs = [
        ran(run, accuracy, hidden=(10,) * depth, seed=seed, learning_rate=0.1)
        for depth, accuracy in accuracies.items()
        for seed in (0, 1)
    ]
    # the search, on a seed of its own, at the depth nearest to the deepest
    runs += [
        ran(run, accuracy, hidden=(10,) * 32, seed=2, learning_rate=rate)
        for rate, accuracy in ((0.01, 0.4), (0.1, 0.5), (1.0, 0.2))
    ]
    (row,) = sensitivity_table(runs).to_dict("records")
    assert (row["activation"], row["initializer"], row["seeds"]) == ("relu", "he_normal", 2)
    # half-way from 0.1 to 0.9 is 0.5, half of the way from 8 to 32 on the logarithm
    assert row["learns_until"] == pytest.approx(16.0, rel=1e-9)
    assert row["rate_depth"] == 32
    # within five points of 0.5: half of the way down to 0.4, and a sixth of that to 0.2
    assert row["good_low"] == pytest.approx(10**-1.5, rel=1e-9)
    assert row["good_high"] == pytest.approx(10 ** (-1 + 1 / 6), rel=1e-9)
    assert row["source"].startswith("these runs: width 10, sgd, 1 epoch of mnist_5k")
    assert row["source"].endswith("depths 2 to 32")


def test_fewer_depths_are_told_by_the_shipped_runs(run):
    table = sensitivity_table([ran(run, 0.9, hidden=(10,) * depth) for depth in (2, 8)])
    evidence = shipped()
    assert set(table["activation"]) == {"relu"}
    assert set(table["initializer"]) <= {one.initializer for one in evidence.trials}
    assert table["source"].str.startswith(f"runs of {evidence.origin['made']} in the package").all()
    assert (table["rate_depth"] == 10).all()  # of 2, 5, 10, 20, 40 the nearest to 8
    assert table["good_decades"].notna().any()


def test_what_nobody_has_tried_has_no_rows(run):
    assert sensitivity_table([ran(run, 0.9, hidden=(4,), optimizer="adamw")]).empty


def test_without_a_search_the_rates_are_unknown(run):
    runs = [ran(run, 0.9, hidden=(10,) * depth) for depth in (2, 4, 8)]
    (row,) = sensitivity_table(runs).to_dict("records")
    assert row["bound"] == "at least"
    assert math.isnan(row["good_low"])
    assert not row["good_open"]
