"""Which runs a report trains, what their setups are called, and which learning rate is the best."""

import contextlib
import dataclasses

import numpy as np
import pandas as pd
import pytest

from initperf import Experiment, train
from initperf.errors import UnsuitableError, UsageError
from initperf.report.plan import Settings, plan, usual_rates
from initperf.report.rate_search import best_rates, ranked, rates_table
from initperf.report.usual import RATES
from initperf.training.setups import name_setups, widths

SMALL = {
    "hidden": [(4, 4), (3, 3, 3)],
    "activation": ["tanh"],
    "backend": "numpy",
    "batch_size": 50,
    "epochs": 1,
}


def test_every_rule_is_trained_in_every_setup_with_every_seed():
    given = SMALL | {"initializer": ["xavier", "critical"]}
    planned = plan(Settings(seeds=2, given=given))
    assert len(planned.experiments) == 2 * 2 * 2
    assert planned.initializers == ["critical", "glorot_normal"]
    assert {one.epochs for one in planned.experiments} == {1}
    assert set(planned.setups.values()) == {"2 × 4", "3 × 3"}
    assert planned.unsuitable == ()


def test_a_setup_is_named_by_the_settings_that_differ_and_no_others():
    first = Experiment(hidden=(64,) * 30, optimizer="adam", epochs=2)
    assert name_setups([first, first.replace(seed=1, activation="tanh")]) == {
        first: "",
        first.replace(seed=1, activation="tanh"): "",
    }
    others = (first.replace(epochs=3, residual=1), first.replace(optimizer="sgd"))
    assert list(name_setups([first, *others]).values()) == [
        "no blocks, epochs 2, adam",
        "blocks of 1, epochs 3, adam",
        "no blocks, epochs 2, sgd",
    ]
    slower = first.replace(learning_rate=0.01)
    assert set(name_setups([first, slower]).values()) == {"learning rate 0.1", "learning rate 0.01"}
    assert set(name_setups([first, slower], besides=["learning_rate"]).values()) == {""}
    assert widths((512, 256)) == "512-256"


def test_biases_that_only_a_scheme_sets_make_no_setup():
    ruled = Experiment("he_normal", biases="constant")
    assert set(name_setups([ruled, Experiment("critical")]).values()) == {""}
    assert set(name_setups([ruled, Experiment("he_normal")]).values()) == {"constant", "zeros"}


def test_a_rule_that_applies_nowhere_is_refused_and_one_that_does_somewhere_is_left_out():
    given = SMALL | {"initializer": ["he_normal", "depth_scaled"], "residual": [0, 1]}
    planned = plan(Settings(seeds=1, given=given))
    assert len(planned.experiments) == 2 * 2 + 2
    assert [left["setup"] for left in planned.unsuitable] == [
        "2 × 4, no blocks",
        "3 × 3, no blocks",
    ]
    assert "residual must be at least 1" in planned.unsuitable[0]["reason"]
    with pytest.raises(UnsuitableError, match="residual must be at least 1"):
        plan(Settings(given=given | {"residual": [0]}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"rates": (0.1, -1.0)}, "learning_rate"),
        ({"given": {"seed": 1}}, "seed is not given"),
        ({"given": {"dataset": ["mnist", "mnist_5k"]}}, "one data set"),
    ],
)
def test_settings_that_make_no_report_are_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        Settings(**wrong)


def test_rates_are_searched_with_a_seed_that_is_not_shown(blobs):
    given = SMALL | {"initializer": ["glorot_normal", "zeros"]}
    planned = plan(Settings(seeds=2, rates=(1e-4, 0.5), given=given))
    found = best_rates(planned.experiments, (1e-4, 0.5), {"mnist": blobs}, lambda *_: None)
    assert list(found) == list(planned.experiments)
    assert {run.experiment.seed for runs in found.values() for run in runs} == {2}
    table = rates_table(found, planned.setups)
    assert len(table) == 2 * 2 * 2
    learned = table[(table["initializer"] == "glorot_normal") & table["best"]]
    assert set(learned["learning_rate"]) == {0.5}
    assert learned["at_edge"].all()
    never = table[(table["initializer"] == "zeros") & table["best"]]
    assert not never["at_edge"].any()  # equal at all rates


def test_runs_that_diverged_are_ranked_last_and_equal_ones_by_their_rate(blobs):
    run = train(Experiment(hidden=(4,), backend="numpy", epochs=1), dataset=blobs)

    def made(accuracy, loss, rate, status="finished"):
        return dataclasses.replace(
            run,
            experiment=run.experiment.replace(learning_rate=rate),
            status=status,
            test_accuracy=accuracy,
            epoch_columns={"test_loss": np.array([3.0, loss])},
        )

    best, lower, worse = made(0.9, 0.3, 0.1), made(0.9, 0.3, 0.05), made(0.9, np.nan, 0.01)
    lost = made(0.95, 0.1, 0.5, "diverged")
    assert ranked([lost, worse, best, lower]) == [lower, best, worse, lost]


def test_rates_are_searched_unless_one_is_given_or_the_report_is_quick():
    assert usual_rates({}) == RATES["sgd"]
    assert usual_rates({"optimizer": ["Adam"], "depth": [2, 3]}) == RATES["adam"]
    assert usual_rates({"optimizer": ["adam", "sgd"]}) == ()  # no rates suit both
    assert usual_rates({"optimizer": "adamw"}) == ()  # whose rates nobody has tried here
    assert usual_rates({"learning_rate": [0.1]}) == ()
    assert usual_rates({}, quick=True) == ()
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        usual_rates({"optimizer": ["adm"]})


def test_a_sensitivity_that_a_study_knows_is_no_search_of_rates(blobs, monkeypatch):
    """A report without a search keeps the name of the learning rate that all runs share."""
    from initperf.report import measure

    known = pd.DataFrame({"activation": ["tanh"], "initializer": ["zeros"]})
    monkeypatch.setattr(measure.data, "load", lambda *_: blobs)
    monkeypatch.setattr(measure, "sensitivity_table", lambda _: known)
    for rates, column in (((), "learning_rate"), ((0.1, 0.2), "best_learning_rate")):
        settings = Settings(seeds=1, rates=rates, given=SMALL | {"initializer": ["zeros"]})
        found = measure.measure(
            settings,
            plan(settings),
            lambda _: contextlib.nullcontext(lambda *_: None),
            needed=frozenset({"runs", "descent"}),
        )
        assert column in found["runs"]
        assert len(found["sensitivity"]) == 1
        assert set(found["descent"]["setup"]) == {"2 × 4", "3 × 3"}
