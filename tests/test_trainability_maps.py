"""Trainability maps: what is trained, resumed and planned, and the table and figure of it."""

import numpy as np
import pytest
from staged_training import training

from initperf import Experiment, train
from initperf.report.stored import stored_tables
from initperf.report.trainability.map_plan import MapPlan
from initperf.report.trainability.maps import measure_maps, plan_cost
from initperf.schemes import SCHEMES
from initperf.training.map_tables import map_table, of_maps
from initperf.training.store import RunStore
from initperf_figures import FIGURES, draw
from initperf_figures.trainability_map import interpolated, scored

SMALL = {
    "dataset": "mnist",
    "backend": "numpy",
    "epochs": 1,
    "batch_size": 50,
    "learning_rate": 0.05,
}


def plan(**changes):
    settings = {
        "activations": ("tanh",),
        "widths": (8,),
        "depths": (1, 6),
        "columns": 2,
        "rows": 2,
        "levels": 1,
        "points": 25,
        "seeds": 1,
        "given": SMALL,
    }
    return MapPlan(**(settings | changes))


def measured(which, blobs, store=None, budget=None):
    return measure_maps(which, training(blobs, store, budget))


@pytest.fixture(scope="module")
def found(blobs):
    return measured(plan(), blobs)


def test_every_point_is_a_mean_field_network_of_its_variance_and_depth(found):
    assert found.complete
    table = map_table(found.runs)
    assert {2.25, 0.5, 4.0} <= set(table["weight_variance"])
    assert {1, 6} <= set(table["depth"])
    assert 9 <= len(table) <= 25
    run = next(run for run in found.runs if len(run.experiment.hidden) == 6)
    row = table[table["run"] == run.name].iloc[0]
    rule = run.experiment.rule
    assert (rule.weight_variance, rule.bias_variance) == (row["weight_variance"], 0.05)
    assert run.experiment.hidden == (8,) * 6


def test_a_stored_map_asks_for_the_same_points_and_trains_none_again(found, blobs, tmp_path):
    store = RunStore(tmp_path)
    for run in found.runs:
        store.save(run)
    count = len(store)
    again = measured(plan(), blobs, store)
    assert [run.name for run in again.runs] == [run.name for run in found.runs]
    assert len(store) == count


def test_a_time_budget_ends_the_map_and_says_so(blobs):
    assert not measured(plan(), blobs, budget=1e-6).complete


def test_the_plan_counts_runs_of_each_map_and_all(blobs):
    rows = plan_cost(plan(seeds=2), workers=1, store=None, datasets={"mnist": blobs})
    assert [row["activation"] for row in rows] == ["tanh", "all"]
    first = rows[0]
    assert (first["first_runs"], first["kept"], first["most_runs"]) == (18, 0, 50)
    assert first["full_grid_runs"] == 2 * 5 * 5
    assert 0.0 < first["first_s"] < first["most_s"]
    assert first["most_s"] == pytest.approx(first["first_s"] * 50 / 18)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": 8}, "points must be at least 9"),
        ({"depths": (6, 6)}, "must rise"),
        ({"depths": (0, 6)}, "depths must be a positive integer"),
        ({"weight_variances": (-1.0, 2.0)}, "weight_variances"),
        ({"activations": ("tahn",)}, "did you mean 'tanh'"),
        ({"widths": (0,)}, "hidden"),
        ({"seeds": 0}, "seeds"),
        ({"given": {"epochs": 0}}, "epochs"),
    ],
)
def test_plans_that_are_none_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        plan(**changes)


def test_runs_of_other_rules_and_small_grids_make_no_map():
    scheme = SCHEMES["mean_field"]
    few = [
        Experiment(scheme.replace(weight_variance=v), "tanh", hidden=(4,) * depth)
        for v in (1.0, 2.0)
        for depth in (1, 2, 3)
    ]
    assert of_maps(few) == set()
    more = [
        Experiment(scheme.replace(weight_variance=3.0), "tanh", hidden=(4,) * depth)
        for depth in (1, 2, 3)
    ]
    other = Experiment("he_normal", "tanh", hidden=(4, 4))
    assert of_maps([*few, *more, other]) == {*few, *more}


def test_a_store_with_a_map_gives_its_table_beside_those_of_the_other_runs(found, blobs, tmp_path):
    store = RunStore(tmp_path)
    for run in found.runs:
        store.save(run)
    other = train(
        Experiment("he_normal", hidden=(6,), epochs=1, batch_size=50, backend="numpy"),
        dataset=blobs,
    )
    store.save(other)
    tables = stored_tables(tmp_path)
    assert len(tables["trainability"]) == len(found.runs)
    assert list(tables["runs"]["run"]) == [other.name]


@pytest.mark.slow
def test_the_map_is_drawn_from_runs_and_from_tables(found):
    table = map_table(found.runs)
    for source in (found.runs, {"trainability": table}):
        figure = draw("trainability_map", source)
        assert figure.axes[0].get_title(loc="left") == "tanh"
        assert figure.axes[0].get_xlim() == (0.5, 4.0)
    assert "tanh of width 8" in FIGURES["trainability_map"].find({"trainability": table})


def test_interpolation_is_exact_on_a_plane_and_at_the_corners():
    table = map_like(lambda variance, depth: 0.2 + 0.1 * variance + 0.1 * np.log(depth))
    x, y = np.linspace(0.5, 2.5, 7), np.geomspace(2, 50, 7)
    values = interpolated(scored(table), x, y)
    # linear functions are interpolated to rounding; the edge is moved inside by 1e-9
    expected = 0.2 + 0.1 * x + 0.1 * np.log(y)[:, None]
    np.testing.assert_allclose(values, expected, atol=1e-8)


def test_a_map_of_too_few_depths_is_not_drawn():
    table = map_like(lambda variance, depth: 0.5)
    few = table[table["depth"] < 20]
    assert "3 depths" in FIGURES["trainability_map"].missing({"trainability": few})[0]


def map_like(function):
    """Return a table of a map whose accuracies are those of a function."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "activation": "tanh",
                "width": 100,
                "bias_variance": 0.05,
                "weight_variance": variance,
                "depth": depth,
                "seed": 0,
                "status": "finished",
                "test_accuracy": function(variance, depth),
            }
            for variance in (0.5, 1.5, 2.5)
            for depth in (2, 10, 50)
        ]
    )


def test_the_table_is_sorted_and_names_its_runs(found):
    table = map_table(reversed(found.runs))
    assert table.equals(map_table(found.runs))
    assert table["run"].is_unique
