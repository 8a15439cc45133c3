"""Reports drawn again, from tables and from stores of runs."""

import contextlib
import errno
import itertools
import json
import sys
import tempfile

import pandas as pd
import pytest

from initperf import Experiment, cli, train
from initperf._core.progress import silent
from initperf.errors import DataError
from initperf.report.rescue import keep_tables
from initperf.report.stored import stored_tables
from initperf.report.stored_gradients import Gradients
from initperf.training.store import RunStore
from initperf_figures import report as writer

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


def test_the_loss_along_first_gradients_of_a_store_is_that_of_its_runs(tmp_path):
    """Rates and seeds of a rule begin with the same weights: its first seed is measured, once.

    The rules have no rate in common, so that their best ones differ, which makes no setups.
    """
    store = RunStore(tmp_path)
    runs = {}
    for name, rates in {"he_normal": (0.05, 0.4), "zeros": (0.1, 0.3)}.items():
        for rate, seed in itertools.product(rates, (1, 0)):
            changes = {"initializer": name, "learning_rate": rate, "seed": seed}
            one = SMALL.replace(dataset="mnist_5k", **changes)
            runs[name, seed] = train(one)
            store.save(runs[name, seed])
    notices = []
    gradients = Gradients(None, lambda _title: contextlib.nullcontext(silent), notices.append)
    tables = stored_tables(tmp_path, gradients=gradients)
    expected = runs["he_normal", 0].descents(runs["zeros", 0])
    pd.testing.assert_frame_equal(tables["descent"], expected.assign(setup=""))
    assert set(tables["runs"]["setup"]) == set(tables["descent"]["setup"]) == {""}
    assert not notices
    assert "descent" not in stored_tables(tmp_path)


def test_a_page_of_runs_whose_data_cannot_be_loaded_says_what_measures_the_loss_along_gradients(
    store, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    words = ["--only", "learning_rates,loss_along_gradient", "--out", str(tmp_path / "r")]
    assert cli.main(["report", "--from", str(store.directory), *words]) == 0
    assert "the loss along the first gradient is not drawn: " in capsys.readouterr().err
    html = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    (line,) = (line for line in html.splitlines() if "<li>“Loss along" in line)
    assert "initperf report --from STORE --data-dir DIR" in line


@pytest.mark.slow
def test_from_draws_a_store_and_then_its_report_without_training(
    store, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    first, second = tmp_path / "first", tmp_path / "second"
    words = ["report", "--from", str(store.directory)]
    words += ["--only", "final_accuracy,learning_rates"]
    words += ["--out", str(first), "--title", "Again"]
    monkeypatch.setattr(sys, "argv", ["initperf", *words[:-1], "$HOME & all"])
    assert cli.main(words) == 0
    counted = f": 4 runs of the 12 in {store.directory}, each rule's at the best of its learning"
    assert counted in capsys.readouterr().out
    html = (first / "index.html").read_text(encoding="utf-8")
    assert "--title &#39;$HOME &amp; all&#39;\n" in html, "quoted for the shell"
    files = {path.name for path in (first / "figures").iterdir()}
    assert {path.rpartition(".")[0] for path in files} == {"final_accuracy", "learning_rates"}
    assert "<h1>Again</h1>" in (first / "index.html").read_text(encoding="utf-8")
    monkeypatch.undo()
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    again = ["report", "--from", str(first), "--only", "final_accuracy", "--format", "png"]
    assert cli.main([*again, "--out", str(second), "--initializers", "zeros"]) == 0
    runs = pd.read_parquet(second / "tables" / "runs.parquet")
    assert set(runs["initializer"]) == {"zeros"}
    manifest = json.loads((second / "report.json").read_text())
    assert "figures/final_accuracy.png" in manifest["files"]


def test_what_was_measured_is_kept_where_the_report_cannot_be_written(
    store, tmp_path, capsys, monkeypatch
):
    """As on a disk that fills up meanwhile: the tables are elsewhere, and are drawn from there."""
    monkeypatch.setenv("INITPERF_NUM_THREADS", "1")
    monkeypatch.setattr(
        "initperf.report.measure.measure", lambda *_, **__: stored_tables(store.directory)
    )
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    full = OSError(errno.ENOSPC, "No space left on device")

    def fails(*_arguments):
        raise full

    out = ["--out", str(tmp_path / "r"), "--only", "final_accuracy", "--dataset", "mnist_5k"]
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_write_table", fails)
        assert cli.main(["report", *out]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1] == "initperf: No space left on device"
    (kept,) = (tmp_path / "temporary").iterdir()
    assert f"the measurements are kept; initperf report --from {kept} draws them" in err[-2]
    assert not (tmp_path / "r").exists()
    assert cli.main(["report", "--from", str(kept), *out[:4]]) == 0
    assert len(pd.read_parquet(tmp_path / "r" / "tables" / "runs.parquet")) == 4
    # what is drawn from tables that are there is not kept once more
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_write_table", fails)
        assert cli.main(["report", "--from", str(kept), *out[:4]]) == 2
    assert len(list((tmp_path / "temporary").iterdir())) == 1


def test_measurements_go_to_the_cache_where_temporary_files_cannot_be_written(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("INITPERF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    kept = keep_tables({"runs": pd.DataFrame({"mixed": [1, "a"]})})
    assert kept.parent == tmp_path / "cache" / "reports"
    assert pd.read_parquet(kept / "tables" / "runs.parquet")["mixed"].tolist() == ["1", "a"]
    monkeypatch.setenv(
        "INITPERF_CACHE",
        str(tmp_path / "cache" / "reports" / kept.name / "tables" / "runs.parquet"),
    )
    assert keep_tables({"runs": pd.DataFrame({"a": [1]})}) is None


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_damaged_table_of_a_report_is_one_line(tmp_path, capsys, content):
    (tmp_path / "old" / "tables").mkdir(parents=True)
    (tmp_path / "old" / "tables" / "runs.parquet").write_bytes(content)
    assert cli.main(["report", "--from", str(tmp_path / "old"), "--out", str(tmp_path / "r")]) == 3
    err = capsys.readouterr().err
    assert err.startswith("initperf: ")
    assert "runs.parquet: damaged" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs", "3"], "--epochs says what to measure"),
        (["--quick"], "--quick says what to measure"),
        (["--only", "final_accuraci"], "did you mean 'final_accuracy'"),
        (["--only", "roofline"], "nothing can be drawn of roofline; missing: kernels, limits"),
    ],
)
def test_options_that_go_wrong_are_one_line(store, tmp_path, capsys, words, message):
    out = ["--out", str(tmp_path / "r")]
    assert cli.main(["report", "--from", str(store.directory), *out, *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "r").exists()
