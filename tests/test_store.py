import json
from pathlib import Path

import pandas as pd
import pytest

from initperf import Experiment, train
from initperf.errors import DataError
from initperf.training.store import RunStore

SMALL = Experiment(hidden=(8,), epochs=2, batch_size=100)


@pytest.fixture
def run(blobs):
    return train(SMALL, dataset=blobs)


def test_a_run_comes_back_as_it_was(tmp_path, run):
    store = RunStore(tmp_path / "runs")
    path = store.save(run)
    assert run.name in store
    assert list(store) == [run.name]
    assert path.name == run.name
    back = store.load(run.name)
    for table in ("steps", "layers", "epochs"):
        pd.testing.assert_frame_equal(getattr(back, table), getattr(run, table))
    assert back.experiment == run.experiment
    assert (back.status, back.test_accuracy) == (run.status, run.test_accuracy)
    assert back.dataset == run.dataset


def test_a_run_is_written_once(tmp_path, run):
    store = RunStore(tmp_path)
    facts = store.save(run) / "run.json"
    before = facts.stat().st_mtime_ns
    store.save(run)
    assert facts.stat().st_mtime_ns == before


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
def test_an_interrupted_write_leaves_nothing(tmp_path, run, monkeypatch, fault):
    def fail(*_arguments, **_options):
        raise fault

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    store = RunStore(tmp_path)
    with pytest.raises(fault):
        store.save(run)
    assert list(tmp_path.iterdir()) == []
    assert run.name not in store


def test_a_damaged_run_is_bad_data(tmp_path, run):
    store = RunStore(tmp_path)
    path = store.save(run)
    (path / "steps.parquet").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=run.name):
        store.load(run.name)
    (path / "run.json").write_text(json.dumps({"experiment": {}}))
    with pytest.raises(DataError, match=run.name):
        store.load(run.name)
    with pytest.raises(DataError, match="no readable run"):
        store.load("missing")


def test_runs_of_the_flat_schema_are_read():
    """The recorded run was written before experiments had nested records."""
    store = RunStore(Path(__file__).parent / "recorded" / "runs")
    (name,) = store
    run = store.load(name)
    assert run.experiment == Experiment(
        activation="tanh",
        hidden=(3,),
        epochs=1,
        batch_size=10,
        optimizer="adam",
        learning_rate=0.01,
        betas=(0.8, 0.99),
        schedule="triangular",
        half_cycle=7,
        clip_norm=2.0,
        clip="global",
        backend="numpy",
        record="epoch",
    )
    assert (run.name, run.status, len(run.steps), len(run.layers)) == (name, "finished", 1, 2)


def test_runs_of_a_later_schema_are_refused_with_a_reason(tmp_path, run):
    store = RunStore(tmp_path)
    file = store.save(run) / "run.json"
    facts = json.loads(file.read_text())
    facts["experiment"]["schema"] = 3
    file.write_text(json.dumps(facts))
    with pytest.raises(DataError, match="of schema 3, and this initperf reads 1 and 2"):
        store.load(run.name)
