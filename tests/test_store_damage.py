"""Damaged stores of runs: 50 kinds of damage, each listed, set aside and trained again."""

import json
import os
import shutil

import numpy as np
import pytest
from file_damage import DAMAGES

from initperf import cli
from initperf.training.store import RunStore

WORDS = ["--backend", "numpy", "--epochs", "1", "--batch-size", "50", "--hidden", "4"]


def gone(path, others):
    path.unlink()


def directory(path, others):
    path.unlink()
    path.mkdir()
    (path / "run.json").write_text("[" * 100_000)


def empty_directory(path, others):
    path.unlink()
    path.mkdir()


def dangling(path, others):
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


def circle(path, others):
    path.unlink()
    path.symlink_to(path)


def renamed(path, others):
    """Give a run the name of another."""
    path.write_bytes(others[0].read_bytes())


def foreign(path, others):
    """Put files and directories of others beside the runs."""
    place = path.parent
    (place / "notes.txt").write_text("mine")
    (place / "abcdef").mkdir()
    (place / f"{'0' * 16}.parquet").mkdir()
    (place / f".{'0' * 16}-01234567").mkdir()


def index(path, others):
    (path.parent / "_index.arrow").write_bytes(b"ARROW1\0\0" + bytes(200))


def index_directory(path, others):
    (path.parent / "_index.arrow").mkdir()


OWN = [gone, directory, empty_directory, dangling, circle, renamed, foreign, index, index_directory]
EVERY = {
    **DAMAGES,
    **{damage.__name__.replace("_", " "): damage for damage in OWN},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, blobs):
    """Give a directory with data and a store of three runs."""
    place = tmp_path_factory.mktemp("stores")
    np.savez(place / "blobs.npz", X=blobs.train_images[:, ::16], y=blobs.train_labels)
    assert cli.main(sweep(place, place / "whole")) == 0
    return place


def sweep(place, runs):
    words = ["sweep", "--dataset", str(place / "blobs.npz"), *WORDS, "--seed", "0-2"]
    return [*words, "--out", str(runs), "--workers", "1", "--json"]


def test_there_are_fifty_kinds():
    assert len(EVERY) >= 50


@pytest.mark.parametrize("name", EVERY)
def test_a_damaged_store_is_listed_and_made_whole(place, tmp_path, capsys, name):
    runs = tmp_path / "runs"
    shutil.copytree(place / "whole", runs)
    expected = {name: RunStore(place / "whole").load(name) for name in RunStore(runs)}
    assert len(expected) == 3
    files = sorted(runs.glob("*.parquet"))
    chosen, others = files[1], [files[0], files[2]]
    whole = {path: path.read_bytes() for path in others}
    EVERY[name](chosen, others)
    capsys.readouterr()

    assert cli.main(["runs", str(runs), "--json"]) == 0
    out, err = capsys.readouterr()
    listed = {row["run"] for row in json.loads(out)}
    assert {path.stem for path in others} <= listed <= set(expected)
    damaged = [line for line in err.splitlines() if "is damaged" in line]
    assert len(damaged) == (chosen.stem not in listed and name != "gone") + (name == "foreign")
    assert all(line.startswith("initperf runs: run ") for line in damaged)

    assert cli.main(sweep(place, runs)) == 0
    out, err = capsys.readouterr()
    assert {row["run"]: row["test_accuracy"] for row in json.loads(out)} == {
        run: one.test_accuracy for run, one in expected.items()
    }
    store = RunStore(runs)
    assert {path: path.read_bytes() for path in others} == whole
    assert set(expected) <= set(store)
    for run, one in expected.items():
        np.testing.assert_array_equal(
            store.load(run).step_columns["loss"], one.step_columns["loss"]
        )
    if name == "foreign":
        assert (runs / "notes.txt").read_text() == "mine"
        assert (runs / "abcdef").is_dir()
    assert not [path for path in runs.iterdir() if path.name.startswith(".initperf~")]
    assert os.path.isfile(chosen)
