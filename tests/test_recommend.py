"""Advice from trials with a known best: ranking, evidence, gaps, files, and its audit."""

import dataclasses
import math

import pytest
from staged_training import training

from initperf import Experiment, train
from initperf.errors import DataError
from initperf.report.trainability.advice import advise
from initperf.report.trainability.audit import audit
from initperf.report.trainability.cells import cells_of, rank_cells
from initperf.report.trainability.collection import Measured, collected, trials_from
from initperf.report.trainability.evidence import Evidence, Trial, as_trial, merged, trials_of
from initperf.report.trainability.limits import limits_of
from initperf.report.trainability.measure import measure_study, study_cost
from initperf.report.trainability.predictions import predict
from initperf.report.trainability.question import Question
from initperf.report.trainability.staged import StagedTraining
from initperf.report.trainability.study import Study
from initperf.report.trainability.tables import study_tables
from initperf.report.trainability.trial_files import read, shipped, write
from initperf.training.store import RunStore

RATES = (0.01, 0.1, 1.0)
BEST = "orthogonal"
LIMITS = {"orthogonal": 80.0, "he_normal": 20.0, "small_normal": 3.0}
"""Depth at which each rule of the synthetic trials falls through 0.5."""


def trial(name, depth, seed, rate, accuracy, **changes):
    settings = {
        "run": f"{name}-{depth}-{seed}-{rate}",
        "initializer": name,
        "activation": "tanh",
        "depth": depth,
        "width": 100,
        "optimizer": "sgd",
        "learning_rate": rate,
        "seed": seed,
        "epochs": 2,
        "batch_size": 64,
        "dataset": "mnist_5k",
        "dataset_digest": "5e1c0de5",
        "status": "finished",
        "test_accuracy": accuracy,
    }
    return Trial(**(settings | changes))


def synthetic(depths=(2, 4, 8, 16, 32, 64), seeds=4):
    """Return trials of three rules: a search on seed 9, and seeds at the best rate, 0.1."""
    found = []
    for name, limit in LIMITS.items():
        for depth in depths:
            level = min(0.9, max(0.1, 0.5 - 0.3 * math.log2(depth / limit)))
            for rate in RATES:
                loss = 0.0 if rate == 0.1 else 0.2
                found.append(trial(name, depth, 9, rate, max(0.1, level - loss)))
            for seed in range(seeds):
                # noise of the seed and of the run, known and small
                noise = 0.002 * seed + 0.001 * ((seed + len(name)) % 2)
                found.append(trial(name, depth, seed, 0.1, level + noise))
    return found


def test_the_known_best_is_first_and_the_others_are_told_from_it():
    answer = advise(Question("tanh", 16), synthetic())
    assert [row["initializer"] for row in answer.rows] == [BEST, "he_normal", "small_normal"]
    assert [row["verdict"] for row in answer.rows] == ["best", "worse", "worse"]
    assert answer.setup.depth == 16
    assert answer.remarks == []
    first = answer.rows[0]
    assert first["seeds"] == 4
    assert len(first["runs"]) == 4
    assert first["low"] < first["accuracy"] < first["high"]
    assert first["learning_rate"] == 0.1


def test_the_depth_until_which_a_rule_learns_is_the_known_one():
    limits = {one.initializer: one for one in limits_of(cells_of(synthetic()))}
    level = limits["he_normal"].level
    assert level == pytest.approx(0.5, abs=0.01)  # half-way from 0.1 to the best, 0.9 and noise
    # 0.01 of accuracy are a factor of 2**(0.01/0.3) of depth, 2.3 %; noise is 0.007 at most
    assert limits["he_normal"].limit.depth == pytest.approx(20.0, rel=0.04)
    assert limits["small_normal"].limit.depth == pytest.approx(3.0, rel=0.04)
    assert limits[BEST].limit.bound == "at least"


def test_the_nearest_depth_answers_and_a_distant_one_is_named():
    near = advise(Question("tanh", 14), synthetic())
    assert near.setup.depth == 16
    assert near.remarks == []
    far = advise(Question("tanh", 200, 500), synthetic())
    assert far.setup.depth == 64
    assert "depth 64, not 200" in far.remarks[0]
    assert "width 100, not 500" in far.remarks[1]


def test_few_seeds_and_a_rate_at_the_edge_are_thin_evidence():
    answer = advise(Question("tanh", 8), synthetic(seeds=2))
    assert "2 seeds only" in answer.remarks
    single = [one for one in synthetic() if one.seed in (0, 9)]
    assert "one seed only" in advise(Question("tanh", 8), single).remarks
    cut = [one for one in synthetic() if one.learning_rate <= 0.1]
    assert any(
        "largest that was tried" in text for text in advise(Question("tanh", 8), cut).remarks
    )


def test_without_runs_theory_answers_and_says_so():
    answer = advise(Question("relu", 20), synthetic())
    assert answer.setup is None
    assert "theory alone" in answer.remarks[0]
    names = [row["initializer"] for row in answer.rows]
    assert "he_normal" in names
    assert "glorot_normal" not in names
    assert {row["verdict"] for row in answer.rows} == {"theory only"}


def test_a_run_that_diverged_counts_as_nothing_learned():
    trials = [
        dataclasses.replace(one, status="diverged") if one.initializer == BEST else one
        for one in synthetic()
    ]
    answer = advise(Question("tanh", 16), trials)
    assert answer.rows[0]["initializer"] == "he_normal"
    assert answer.rows[-1]["verdict"] == "diverged"
    # one run of four, whatever accuracy it had before
    some = [
        dataclasses.replace(one, status="diverged") if one.seed == 0 else one
        for one in synthetic(depths=(16,))
        if one.initializer == BEST
    ]
    (cells,) = cells_of(some).values()
    (found,) = rank_cells(cells)
    assert found.diverged == 1
    assert found.mean == pytest.approx(sum(one.test_accuracy for one in cells[0].counted[1:]) / 4)


def test_a_search_is_told_from_the_runs_that_count():
    (cells,) = cells_of(synthetic(depths=(8,))).values()
    assert [cell.initializer for cell in cells] == ["he_normal", "orthogonal", "small_normal"]
    for cell in cells:
        assert {one.seed for one in cell.search} == {9}
        assert [one.seed for one in cell.counted] == [0, 1, 2, 3]
        assert not cell.at_edge
    good = cells[1].good()
    # 0.2 less over a decade to either side: 0.05 after a quarter of it
    assert good.decades == pytest.approx(0.5)


def test_a_second_search_at_another_seed_changes_nothing_that_counts():
    more = [trial(BEST, 8, 12, rate, 0.5) for rate in RATES]
    (cells,) = cells_of([*synthetic(depths=(8,)), *more]).values()
    own = next(cell for cell in cells if cell.initializer == BEST)
    assert {one.seed for one in own.search} == {9, 12}
    assert [one.seed for one in own.counted] == [0, 1, 2, 3]


def test_theory_keeps_signals_of_he_with_relu_and_loses_those_of_small_weights():
    kept = predict("he_normal", "relu", 30, 100)
    assert kept.signal == pytest.approx(1.0, rel=1e-9)
    assert kept.gradient == pytest.approx(1.0, rel=1e-9)
    small = predict("small_normal", "relu", 30, 100)
    # σw² = 100 · 0.01², halved by ReLU, over 29 layers
    assert small.signal == pytest.approx(0.005**29, rel=1e-6)
    assert small.distance() > 100.0
    assert predict("lsuv", "relu", 30, 100) is None
    assert predict("critical", "tanh", 30, 100) is not None


def test_a_table_is_written_and_read_whole(tmp_path):
    path = tmp_path / "trials.csv"
    evidence = Evidence(tuple(synthetic()), {"made": "2026-11-29", "commands": "a\n  b: c"})
    write(path, evidence)
    found = read(path)
    assert set(found.trials) == set(evidence.trials)
    assert found.origin == {"made": "2026-11-29", "commands": "a b: c"}
    write(tmp_path / "again.csv", found)
    assert (tmp_path / "again.csv").read_text() == path.read_text()


def test_equal_runs_of_other_names_are_kept_once_with_the_last_name():
    one, other = trial(BEST, 8, 0, 0.1, 0.5), trial(BEST, 8, 1, 0.1, 0.5)
    again = dataclasses.replace(one, run="renamed")
    assert merged([one, other], [again]) == (again, other)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "# made: x\n", "\x00"])
def test_a_file_that_is_no_table_is_refused(tmp_path, text):
    path = tmp_path / "trials.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="no table of trials"):
        read(path)


def test_a_damaged_row_is_named_by_its_line(tmp_path):
    path = tmp_path / "trials.csv"
    write(path, Evidence(tuple(synthetic()), {"made": "now"}))
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace(",100,", ",many,")
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="line 5: no trial"):
        read(path)


def test_the_shipped_table_says_what_it_covers_and_answers():
    evidence = shipped()
    assert {"made", "commands", "covers", "data", "machine"} <= set(evidence.origin)
    assert evidence.origin["commands"].startswith("initperf depths")
    answer = advise(Question("relu", 10), evidence.trials)
    assert answer.setup is not None
    assert {"he_normal", "glorot_uniform"} <= {row["initializer"] for row in answer.rows}


def test_the_audit_judges_advice_by_other_runs():
    full = synthetic(depths=(16,), seeds=5)
    turned = [
        dataclasses.replace(
            one, initializer={BEST: "he_normal", "he_normal": BEST}[one.initializer]
        )
        for one in full
        if one.initializer != "small_normal"
    ]
    agreeing, opposed = audit(synthetic(), full), audit(synthetic(), turned)
    assert (agreeing[0]["advised"], agreeing[0]["verdict"]) == (BEST, "best")
    assert agreeing[0]["behind"] == 0.0
    assert (opposed[0]["best"], opposed[0]["verdict"]) == ("he_normal", "worse")
    assert opposed[0]["behind"] > 0.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("tahn", 8), "did you mean 'tanh'"),
        (("tanh", 0), "depth"),
        (("tanh", 8, 0), "width"),
        (("tanh", 8, 100, "adm"), "did you mean 'adam'"),
    ],
)
def test_questions_that_are_none_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Question(*given)


SMALL = {"dataset": "mnist", "backend": "numpy", "epochs": 1, "batch_size": 50}


def study(**changes):
    settings = {
        "initializers": ("he_normal", "zeros"),
        "activations": ("relu",),
        "depths": (1, 2, 4),
        "widths": (6,),
        "rates": (1e-5, 0.1),
        "seeds": 2,
        "given": SMALL,
    }
    return Study(**(settings | changes))


def measured(which, blobs, store=None, budget=None):
    return measure_study(which, training(blobs, store, budget))


def test_a_study_searches_each_cell_and_trains_it_at_its_best_rate(blobs, tmp_path):
    which = study()
    store = RunStore(tmp_path / "runs")
    found = measured(which, blobs, store)
    assert found.complete
    assert len(found.runs) == which.count() == 2 * 3 * (2 + 2)
    trials = trials_of(found.runs)
    for cells in cells_of(trials).values():
        he, zeros = cells
        assert he.learning_rate == 0.1
        # rules that never learn are equal at all rates, and have the smallest
        assert zeros.learning_rate == 1e-5
        assert {one.seed for one in he.counted} == {0, 1}
    again = measured(which, blobs, store)
    assert {run.name for run in again.runs} == {run.name for run in found.runs}
    tables = study_tables(trials)
    assert set(tables) == {"depth_curves", "depth_limits", "rates"}
    assert len(tables["rates"]) == 2 * 3 * 2
    kept = Measured(tmp_path)
    kept.add(trials)
    kept.add(trials)
    every, origin = collected(kept, [str(tmp_path / "runs")])
    assert set(kept.trials()) == set(trials)
    assert set(trials) <= set(every)
    assert f"{len(trials)} runs" in origin["measured here"]
    assert set(trials_from(str(tmp_path / "runs"))) == set(trials)


class Diverging(StagedTraining):
    """Training in which runs of seed 1 diverge at a rate of 0.1."""

    def train(self, title, experiments):
        complete = super().train(title, experiments)
        for one in experiments:
            if one.learning_rate == 0.1 and one.seed == 1:
                self.runs[one] = dataclasses.replace(self.runs[one], status="diverged")
        return complete


def test_a_rate_at_which_a_seed_diverges_gives_way_to_the_best_smaller_one(blobs):
    """A search that finds 0.1 the best, where the other seeds diverge at 0.1."""
    which = study(initializers=("he_normal",), rates=(1e-6, 0.05, 0.1))
    found = measure_study(which, training(blobs, kind=Diverging))
    assert found.complete
    again = {run.experiment.learning_rate for run in found.runs if run.experiment.seed == 1}
    assert 0.1 in again  # the search's best, at some depth
    assert 0.05 in again
    for (cell,) in cells_of(trials_of(found.runs)).values():
        assert [one.seed for one in cell.counted] == [0, 1]
        assert cell.learning_rate == 0.05
        assert cell.diverged == 0


def test_a_study_stops_with_its_time_budget_and_plans_its_cost(blobs):
    assert not measured(study(), blobs, budget=1e-6).complete
    (row,) = study_cost(study(), workers=1, store=None, datasets={"mnist": blobs})
    assert (row["runs"], row["kept"]) == (24, 0)
    assert row["estimated_s"] > 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "seeds"),
        ({"rates": (0.0,)}, "learning_rate"),
        ({"initializers": ("he_norml",)}, "did you mean 'he_normal'"),
        ({"initializers": ("fixup",)}, "none of these rules"),
        ({"depths": (0,)}, "depth must be"),
        ({"optimizers": ("adam",), "activations": ("relo",)}, "did you mean 'relu'"),
    ],
)
def test_studies_that_are_none_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        study(**changes)


def test_a_run_with_other_settings_is_no_trial(blobs):
    plain = Experiment("he_normal", hidden=(6, 6), epochs=1, batch_size=50, backend="numpy")
    one = as_trial(train(plain, dataset=blobs))
    assert (one.depth, one.width, one.activation) == (2, 6, "relu")
    for other in (
        plain.replace(clip_norm=1.0),
        plain.replace(hidden=(6, 5)),
        plain.replace(initializer="depth_scaled", residual=1),
    ):
        assert as_trial(train(other, dataset=blobs)) is None


def test_sources_that_hold_nothing_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such table"):
        trials_from(str(tmp_path / "nothing"))
    with pytest.raises(DataError, match="holds no runs"):
        trials_from(str(tmp_path))
