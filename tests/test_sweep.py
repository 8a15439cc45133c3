import threading

import numpy as np
import pytest

from initperf import Experiment
from initperf.training import sweep as sweep_module
from initperf.training.experiment import grid
from initperf.training.store import RunStore
from initperf.training.sweep import sweep

GRID = list(
    grid(initializer=["he_normal", "zeros"], seed=[0, 1], hidden=(8,), epochs=2, batch_size=100)
)


def test_runs_come_in_the_order_of_the_experiments_and_equal_ones_once(blobs):
    heard = []
    runs = sweep(
        [*GRID, GRID[0]],
        datasets={"mnist": blobs},
        workers=2,
        progress=lambda *told: heard.append(told),
    )
    assert [run.experiment for run in runs] == [*GRID, GRID[0]]
    assert [told[:2] for told in heard] == [(done, len(GRID)) for done in range(1, len(GRID) + 1)]


def test_side_by_side_gives_the_bits_of_one_after_the_other(blobs):
    side, alone = (sweep(GRID, datasets={"mnist": blobs}, workers=workers) for workers in (2, 1))
    for one, other in zip(side, alone, strict=True):
        assert np.array_equal(one.step_columns["loss"], other.step_columns["loss"])


def test_runs_that_are_kept_are_not_trained_again(blobs, tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    first = sweep(GRID[:2], datasets={"mnist": blobs}, store=store)
    trained = []

    def train(experiment, **options):
        trained.append(experiment)
        return original(experiment, **options)

    original = sweep_module.train
    monkeypatch.setattr(sweep_module, "train", train)
    runs = sweep(GRID, datasets={"mnist": blobs}, store=store)
    assert sorted(trained, key=GRID.index) == GRID[2:]
    assert runs[0].train_seconds == first[0].train_seconds
    assert len(list(store)) == len(GRID)


def test_an_error_cancels_what_has_not_begun(blobs, monkeypatch):
    begun = []
    lock = threading.Lock()

    def train(experiment, **_options):
        with lock:
            begun.append(experiment)
        raise RuntimeError("no more")

    monkeypatch.setattr(sweep_module, "train", train)
    many = [Experiment(seed=seed, hidden=(8,)) for seed in range(200)]
    with pytest.raises(RuntimeError, match="no more"):
        sweep(many, datasets={"mnist": blobs}, workers=1)
    assert len(begun) < len(many)
