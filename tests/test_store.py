import json

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
