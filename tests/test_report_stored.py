"""Reports drawn again, from tables and from stores of runs."""

import json

import pandas as pd
import pytest

from initperf import Experiment, cli, train
from initperf.errors import DataError
from initperf.report.stored import stored_tables
from initperf.training.store import RunStore

SMALL = Experiment(hidden=(5, 5), epochs=1, batch_size=50, backend="numpy")


@pytest.fixture(scope="module")
def store(tmp_path_factory, blobs):
    """Keep runs of two initializers, three rates and two seeds."""
    made = RunStore(tmp_path_factory.mktemp("runs"))
    for name in ("he_normal", "zeros"):
        for rate in (1e-4, 0.05, 0.4):
            for seed in (0, 1):
                changes = {"initializer": name, "learning_rate": rate, "seed": seed}
                made.save(train(SMALL.replace(**changes), dataset=blobs))
    return made


def test_each_rule_of_a_store_is_shown_at_its_best_rate(store):
    tables = stored_tables(store.directory)
    rates = tables["rates"]
    assert len(rates) == 2 * 3
    assert set(rates["seeds"]) == {2}
    mean = rates.pivot_table("test_accuracy", "initializer", "learning_rate")
    best = rates[rates["best"]].set_index("initializer")["learning_rate"]
    assert best["he_normal"] == mean.loc["he_normal"].idxmax()
    runs = tables["runs"]
    assert len(runs) == 2 * 2
    chosen = runs["best_learning_rate"].to_numpy()
    assert (chosen == best.reindex(runs["initializer"]).to_numpy()).all()
    assert set(runs["setup"]) == {""}
    assert set(tables["steps"]["run"]) == set(runs["run"])


def test_a_store_can_be_filtered(store):
    tables = stored_tables(store.directory, initializers=["zeros"])
    assert set(tables["runs"]["initializer"]) == {"zeros"}
    with pytest.raises(DataError, match="neither the tables of a report nor such runs"):
        stored_tables(store.directory, activations=["tanh"])
    with pytest.raises(DataError, match="there is no directory"):
        stored_tables(store.directory / "nowhere")


@pytest.mark.slow
def test_from_draws_a_store_and_then_its_report_without_training(
    store, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    first, second = tmp_path / "first", tmp_path / "second"
    words = ["report", "--from", str(store.directory), "--only", "final_accuracy,learning_rates"]
    assert cli.main([*words, "--out", str(first), "--title", "Again"]) == 0
    assert "4 runs" in capsys.readouterr().out
    files = {path.name for path in (first / "figures").iterdir()}
    assert {path.rpartition(".")[0] for path in files} == {"final_accuracy", "learning_rates"}
    assert "<h1>Again</h1>" in (first / "index.html").read_text(encoding="utf-8")
    again = ["report", "--from", str(first), "--only", "final_accuracy", "--format", "png"]
    assert cli.main([*again, "--out", str(second), "--initializers", "zeros"]) == 0
    runs = pd.read_parquet(second / "tables" / "runs.parquet")
    assert set(runs["initializer"]) == {"zeros"}
    manifest = json.loads((second / "report.json").read_text())
    assert "figures/final_accuracy.png" in manifest["files"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "3"], "--epochs says what to measure"),
        (["--quick"], "--quick says what to measure"),
        (["--only", "final_accuraci"], "did you mean 'final_accuracy'"),
        (["--only", "roofline"], "nothing can be drawn of roofline; missing: kernels, limits"),
        (["--figures", "nowhere"], "nowhere holds no figure files"),
    ],
)
def test_options_that_go_wrong_are_one_line(store, tmp_path, capsys, words, message):
    out = ["--out", str(tmp_path / "r")]
    assert cli.main(["report", "--from", str(store.directory), *out, *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "r").exists()
