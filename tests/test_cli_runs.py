"""The verbs that train grids and look at their runs."""

import dataclasses
import errno
import json
import math

import numpy as np
import pandas as pd
import pytest

from initperf import cli
from initperf.training import _run_file
from initperf.training.store import RunStore

NUMPY = ("--backend", "numpy", "--epochs", "1", "--batch-size", "50")


def run(capsys, *words):
    """Return (exit code, standard output, standard error) of a command line."""
    try:
        code = cli.main(list(map(str, words)))
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def file(tmp_path, blobs):
    """Give a small data set as a file."""
    path = tmp_path / "blobs.npz"
    np.savez(path, X=blobs.train_images[:, ::16], y=blobs.train_labels)
    return path


@pytest.fixture
def store(tmp_path, file, capsys):
    """Give a store of four runs."""
    words = ("--set", "gain=1,5", "--depth", "1,3", "--width", "4")
    code, *_ = run(capsys, "sweep", "--dataset", file, *NUMPY, *words, "--out", tmp_path / "runs")
    assert code == 0
    return tmp_path / "runs"


def test_a_sweep_shows_what_it_varies(capsys, file):
    words = ("--learning-rate", "0.01,0.1", "--hidden", "2x4,8", "--set", "gain=1,5")
    code, out, _ = run(capsys, "sweep", "--dataset", file, *NUMPY, *words, "--json")
    rows = json.loads(out)
    assert code == 0
    assert len({(row["learning_rate"], row["hidden"], row["initializer"]) for row in rows}) == 8
    assert {row["initializer"] for row in rows} == {"he_normal", "he_normal(gain=5)"} or {
        row["initializer"] for row in rows
    } == {"he_normal", "he_normal(gain=5.0)"}
    assert {row["hidden"] for row in rows} == {"4-4", "8"}
    code, out, _ = run(capsys, "sweep", "--dataset", file, *NUMPY, *words[2:])
    assert (code, out.count(" 2x4 "), out.count("4-4")) == (0, 2, 0)


def test_train_takes_parameters_of_rules(capsys, tmp_path, file):
    words = ("--hidden", "300", "--set", "gain=5", "--out", tmp_path / "runs", "--json")
    code, out, _ = run(capsys, "train", "--dataset", file, *NUMPY, *words)
    (row,) = json.loads(out)
    assert (code, row["initializer"]) == (0, "he_normal(gain=5.0)")
    steps = pd.read_parquet(row["kept_in"])["layer_rows"][0]
    # 49 inputs and 300 units: the standard deviation of 14,700 weights is known to 0.6 %, 1σ
    assert steps[0]["weight_std"] == pytest.approx(5.0 * np.sqrt(2.0 / 49), rel=0.03)


def test_a_dry_run_counts_and_estimates_and_trains_nothing(capsys, tmp_path, file, store):
    (tmp_path / "grid.toml").write_text(
        "depth = [1, 3]\nwidth = 4\nseed = [0, 1]\nbackend = 'numpy'\nepochs = 1\n"
        f"batch_size = 50\ndataset = '{file}'\n"
    )
    words = (tmp_path / "grid.toml", "--out", store, "--workers", "1", "--dry-run", "--json")
    code, out, _ = run(capsys, "sweep", *words)
    (row,) = json.loads(out)
    assert code == 0
    assert (row["runs"], row["kept"], row["to_train"], row["workers"]) == (4, 2, 2, 1)
    assert 0.0 < row["estimated_s"] < math.inf
    assert len(list(store.glob("*.parquet"))) == 4


def test_a_grid_is_left_out_of_where_it_does_not_suit(capsys, file):
    words = ("--initializer", "he_normal,fixup", "--hidden", "4", "--json")
    code, out, err = run(capsys, "sweep", "--dataset", file, *NUMPY, *words)
    assert (code, len(json.loads(out))) == (0, 1)
    assert "left out: fixup: " in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sweep", "--workers", "0"), "must be a positive integer, not '0'"),
        (("sweep", "--workers", "-1"), "must be a positive integer, not '-1'"),
        (("sweep", "--time-budget", "0"), "--time-budget: must be a number above 0, not '0'"),
        (("sweep", "--time-budget", "x"), "--time-budget: must be a number above 0, not 'x'"),
        (("sweep", "--time-budget", "nan"), "--time-budget: must be a number above 0, not 'nan'"),
        (("sweep", "--executor", "dask"), "invalid choice: 'dask'"),
        (("sweep", "--depth", "3"), "depth needs width"),
        (("sweep", "--depth", "x", "--width", "3"), "depth must be an integer"),
        (("sweep", "--set", "gian=1"), "no parameter 'gian' of he_normal"),
        (("train", "--set", "gain"), "--set must be PARAMETER=VALUE"),
        (("train", "--set", "gain=1,2"), "sweep takes several"),
        (("train", "--set", f"gain={'9' * 400}"), "gain must be below"),
        (("train", "--set", f"gain={'-' * 5000}1"), "gain must be a number"),
        (("train", "--target", "kind"), "--dataset must be a file, FILE.csv"),
        (("train", "--hidden=-5"), "as 64-32 or 30x64, not '-5'"),
        (("train", "--hidden", "3xx4"), "hidden must be integers"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grid", "words", "message"),
    [
        ("sed = 1", (), "unknown key 'sed'; did you mean 'seed'"),
        ("seed = []", (), "seed has no values: the grid is empty"),
        ("depth = [1, 2]\nwidth = 0", (), "width must be an integer from 1"),
        ("hidden = '0x5'", (), "hidden must be"),
        ("[parameters]\ngian = 1", (), "no parameter 'gian' of he_normal"),
        ("weight_variance = -1", (), "weight_variance must be at least 0"),
        ("initializer = 'fixup'", (), "residual must be at least 1"),
        ("momentum = 0.5", (), ": momentum is a setting of momentum, nesterov"),
        ("seed = 1", ("--out", "grid.toml"), "grid.toml cannot be a directory of runs"),
        ("seed = 1", ("--out", "grid.toml/below"), "cannot be a directory of runs"),
        ("seed = 1", ("--scheduler", "tcp://127.0.0.1:1"), "tcp://127.0.0.1:1"),
        ("seed = 1", ("--scheduler", "nonsense"), "nonsense"),
    ],
)
def test_sweeps_that_cannot_begin_are_one_line(
    capsys, tmp_path, monkeypatch, file, grid, words, message
):
    """Without the extra that brings Dask, the line names it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("initperf.training._cluster.CONNECT_SECONDS", 1.0)
    (tmp_path / "grid.toml").write_text(grid)
    options = ("--dataset", file, *NUMPY, *words)
    code, out, err = run(capsys, "sweep", *options, "grid.toml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err or "initperf[dask]" in err
    assert sorted(one.name for one in tmp_path.iterdir()) == [file.name, "grid.toml"]


def test_a_full_disk_is_one_line_and_exit_2(capsys, tmp_path, monkeypatch, file):
    def fail(path, _run):
        path.write_bytes(b"the beginning")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("initperf.training._run_file.write", fail)
    words = ("--dataset", file, *NUMPY, "--hidden", "4", "--seed", "0-3", "--out", tmp_path / "r")
    code, out, err = run(capsys, "sweep", *words)
    assert (code, out) == (2, "")
    assert "No space left on device" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not (tmp_path / "r").exists()


def test_runs_lists_and_filters(capsys, store):
    code, out, _ = run(capsys, "runs", store, "--json")
    rows = json.loads(out)
    assert (code, len(rows)) == (0, 4)
    assert {row["depth"] for row in rows} == {1, 3}
    code, out, _ = run(capsys, "runs", store, "--where", "depth>1 and initializer=he_normal")
    assert (code, len(out.splitlines())) == (0, 3)
    assert "he_normal " in out
    code, out, _ = run(capsys, "runs", store, "--where", "hidden=3x4,4")
    assert (code, out.count(" 3x4 "), out.count("4-4-4")) == (0, 2, 0)
    code, _, err = run(capsys, "runs", store, "--where", "dept>1")
    assert (code, err.count("\n")) == (2, 1)
    assert "did you mean 'depth'" in err
    code, _, err = run(capsys, "runs", store, "--where", "depth=1 or depth=3")
    assert (code, "several values by commas, as depth=0,1\n" in err) == (2, True)


def test_runs_are_listed_in_the_order_of_their_settings(capsys, file, store):
    words = ("--set", "gain=1,2,3,4,5", "--depth", "2", "--width", "4", "--seed", "0,1")
    run(capsys, "sweep", "--dataset", file, *NUMPY, *words, "--out", store)
    _, out, _ = run(capsys, "runs", store)
    head, _, *lines = out.splitlines()
    assert head.split()[1:5] == ["initializer", "activation", "hidden", "depth"]
    listed = [line.split()[1:5] for line in lines]
    assert len(listed) == 14  # in none of 14! orders but this by chance
    assert listed == sorted(listed, key=lambda row: (*row[:2], int(row[3])))


def test_runs_are_listed_by_depth_and_width_as_numbers(capsys, tmp_path, file):
    words = ("--hidden", "10x4,2x128,2x4,16-4,2x16,4", "--out", tmp_path / "of_widths")
    assert run(capsys, "sweep", "--dataset", file, *NUMPY, *words)[0] == 0
    _, out, _ = run(capsys, "runs", tmp_path / "of_widths")
    listed = [line.split()[3] for line in out.splitlines()[2:]]
    assert listed == ["4", "2x4", "2x16", "2x128", "16-4", "10x4"]


def test_a_store_without_runs_is_listed(capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    code, out, err = run(capsys, "runs", tmp_path / "empty")
    assert (code, out) == (0, "nothing to show\n")
    assert err.endswith("empty holds no runs\n")
    words = ("--where", "seed<9 and activation=relu", "--json")
    code, out, _ = run(capsys, "runs", tmp_path / "empty", *words)
    assert (code, json.loads(out)) == (0, [])
    words = ("--where", "clip=layer and width>3", "--remove")
    code, _, err = run(capsys, "runs", tmp_path / "empty", *words)
    assert (code, "0 runs removed" in err) == (0, True)
    assert run(capsys, "runs", tmp_path / "empty", "--export", tmp_path / "a.csv")[0] == 0
    assert "test_accuracy" in (tmp_path / "a.csv").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--where", "frobnicate=1"), "runs have no column 'frobnicate'"),
        (("--where", "=="), "a condition is COLUMN=VALUE"),
        (("--where", "seed=relu"), "seed holds numbers, and 'relu' is none"),
        (("--where", "activation<relu"), "activation holds words"),
        (("--remove", "--where", "frobnicate=1"), "runs have no column 'frobnicate'"),
    ],
)
def test_conditions_are_checked_where_there_are_no_runs(capsys, tmp_path, words, message):
    code, out, err = run(capsys, "runs", tmp_path, *words)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("runs",), 0),
        (("report", "--from"), 3),
        (("recommend", "--activation=relu", "--depth=3", "--from"), 3),
    ],
)
def test_a_directory_with_runs_below_it_is_no_store(capsys, tmp_path, words, code):
    inner = tmp_path / "map" / "runs"
    inner.mkdir(parents=True)
    found, _, err = run(capsys, *words, inner.parent)
    assert (found, err.count("\n")) == (code, 1)
    assert f"; did you mean {inner}?" in err


def test_runs_exports(capsys, store, tmp_path):
    where = ("--where", "depth=3")
    assert run(capsys, "runs", store, *where, "--export", tmp_path / "a.csv")[0] == 0
    assert pd.read_csv(tmp_path / "a.csv")["depth"].tolist() == [3, 3]
    words = ("--export", tmp_path / "b.parquet", "--rows", "epochs")
    assert run(capsys, "runs", store, *words)[0] == 0
    table = pd.read_parquet(tmp_path / "b.parquet")
    assert table.groupby("run")["epoch"].max().tolist() == [1, 1, 1, 1]
    code, _, err = run(capsys, "runs", store, "--export", tmp_path / "a.xls")
    assert (code, "must be a .csv or .parquet file" in err) == (2, True)
    code, _, err = run(capsys, "runs", store, "--export", tmp_path / "nowhere" / "a.csv")
    assert (code, err.count("\n")) == (2, 1)


def test_names_in_files_send_no_escapes_to_a_terminal(capsys, store, tmp_path):
    """Of a file that says it is another run, and of a directory."""
    first = next(iter(store.glob("*.parquet")))
    run_of_escapes = dataclasses.replace(RunStore(store).load(first.stem), name="\x1b[31mred")
    first.unlink()
    _run_file.write(first, run_of_escapes)
    code, out, err = run(capsys, "runs", store)
    assert code == 0
    assert "it is run \\x1b[31mred" in err
    evil = tmp_path / "\x1b[31mother"
    evil.mkdir()
    code, _, merged = run(capsys, "runs", store, "--merge", evil)
    assert (code, "0 runs of" in merged) == (0, True)
    assert "\x1b" not in out + err + merged


def test_runs_merges_removes_and_names_what_is_damaged(capsys, store, tmp_path):
    (tmp_path / "other").mkdir()
    code, out, err = run(capsys, "runs", tmp_path / "other", "--merge", store, "--json")
    assert (code, len(json.loads(out))) == (0, 4)
    assert "4 runs of" in err
    code, _, err = run(capsys, "runs", tmp_path / "other", "--remove")
    assert (code, "--remove needs --where" in err) == (2, True)
    code, out, err = run(capsys, "runs", tmp_path / "other", "--remove", "--where", "depth=3")
    assert (code, out) == (0, "")
    assert "2 runs removed" in err
    assert len(list((tmp_path / "other").glob("*.parquet"))) == 2
    damaged = next(iter(store.glob("*.parquet")))
    damaged.write_bytes(b"")
    code, out, err = run(capsys, "runs", store, "--json")
    assert (code, len(json.loads(out))) == (0, 3)
    assert f"run {damaged.stem} is damaged" in err
