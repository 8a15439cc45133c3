"""Stores of runs read by DuckDB and polars, as they are."""

import duckdb
import polars
import pytest

from initperf import Experiment
from initperf.training.store import RunStore
from initperf.training.sweep import sweep


@pytest.fixture
def store(blobs, tmp_path):
    """Give a store of four runs of two depths, one of them diverged."""
    many = [
        Experiment(hidden=(8,) * depth, epochs=2, batch_size=100, learning_rate=rate)
        for depth in (1, 3)
        for rate in (0.1, 1e30)
    ]
    store = RunStore(tmp_path / "runs")
    sweep(many, datasets={"mnist": blobs}, store=store)
    return store


def losses(store):
    """Return the losses of each run, by its name."""
    return {name: store.load(name).steps["loss"].tolist() for name in store}


def test_duckdb_reads_a_store(store):
    files = f"'{store.directory}/*.parquet'"
    rows = duckdb.sql(
        f"SELECT depth, width, learning_rate, status, test_accuracy, test_r2 FROM {files} "
        "ORDER BY depth, learning_rate"
    ).fetchall()
    assert [(*row[:4], row[5]) for row in rows] == [
        (1, 8, 0.1, "finished", None),
        (1, 8, 1e30, "diverged", None),
        (3, 8, 0.1, "finished", None),
        (3, 8, 1e30, "diverged", None),
    ]
    steps = duckdb.sql(
        f"SELECT run, step.loss FROM (SELECT run, unnest(step_rows) AS step FROM {files}) "
        "ORDER BY run, step.step"
    ).fetchall()
    expected = [(name, loss) for name, own in sorted(losses(store).items()) for loss in own]
    assert steps == expected


def test_polars_reads_a_store(store):
    table = polars.read_parquet(f"{store.directory}/*.parquet")
    assert table.height == 4
    deep = table.filter((polars.col("depth") > 2) & (polars.col("status") == "finished"))
    (name,) = deep["run"]
    steps = deep.explode("step_rows").unnest("step_rows")
    assert steps["loss"].to_list() == losses(store)[name]
    accuracy = store.load(name).test_accuracy
    assert deep["test_accuracy"].to_list() == [accuracy]
