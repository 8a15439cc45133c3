"""Sweeps on a Dask cluster of real processes on loopback."""

import contextlib
import json
import statistics

import cluster_trial
import numpy as np
import pytest
from dask_processes import Cluster

from initperf import Experiment, cli
from initperf.data import from_arrays
from initperf.errors import UsageError
from initperf.training import _cluster
from initperf.training.grids import grid
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep

GRID = list(
    grid(initializer=["he_normal", "zeros"], seed=[0, 1], hidden=(8,), epochs=2, batch_size=100)
)


@contextlib.contextmanager
def two_workers():
    found = Cluster()
    try:
        found.start_scheduler()
        found.start_worker()
        found.start_worker()
        found.wait(2)
        yield found
    finally:
        found.end()


@pytest.fixture
def cluster():
    """Give a scheduler with two workers, to be harmed."""
    with two_workers() as found:
        yield found


@pytest.fixture(scope="module")
def lasting():
    """Give a scheduler with two workers that several tests use."""
    with two_workers() as found:
        yield found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_gives_the_bits_of_threads(blobs, tmp_path, lasting):
    threads = sweep(GRID, datasets={"mnist": blobs})
    store = RunStore(tmp_path)
    workers = Workers(scheduler=lasting.address)
    runs = sweep(GRID, datasets={"mnist": blobs}, workers=workers, store=store)
    for one, other in zip(threads, runs, strict=True):
        assert one.name == other.name
        for table in ("step_columns", "layer_columns", "epoch_columns"):
            for name, values in getattr(one, table).items():
                assert np.array_equal(values, getattr(other, table)[name], equal_nan=True), name
    assert sorted(store) == sorted(run.name for run in threads)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_trains_regressions_with_the_bits_of_threads(lasting):
    rows = np.random.default_rng(0).normal(size=(100, 3))
    own = {"own": from_arrays(rows, rows[:, 0] * rows[:, 1])}
    grid = [one.replace(loss="squared_error", dataset="own") for one in GRID]
    threads = sweep(grid, datasets=own)
    runs = sweep(grid, datasets=own, workers=Workers(scheduler=lasting.address))
    assert [run.test_r2 for run in runs] == [run.test_r2 for run in threads]
    for one, other in zip(threads, runs, strict=True):
        assert np.array_equal(one.step_columns["loss"], other.step_columns["loss"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("after", [3, 30])  # of 40 runs: early, and when copies have been dropped
def test_a_killed_worker_loses_and_doubles_nothing(cluster, after):
    trial = cluster_trial.Trial()
    expected = sweep(cluster_trial.experiments(), datasets={"own": cluster_trial.dataset()})
    cluster_trial.kill_one(cluster, trial, expected, after)
    assert trial == cluster_trial.Trial(kills=1, arrived=cluster_trial.RUNS)
    assert [worker.poll() is None for worker in cluster.workers] == [False, True]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_workers_compile_once_each_and_not_once_a_run(tmp_path):
    many = [Experiment(hidden=(8,), epochs=1, seed=seed, dataset="own") for seed in range(12)]
    found = Cluster()
    try:
        found.start_scheduler()
        for number in range(2):
            found.start_worker(INITPERF_CACHE=str(tmp_path / f"cache-{number}"))
        found.wait(2)
        workers = Workers(scheduler=found.address)
        runs = sweep(many, datasets={"own": cluster_trial.dataset()}, workers=workers)
    finally:
        found.end()
    seconds = [run.compile_seconds for run in runs]
    # to compile takes seconds, to find the code in the process milliseconds, of which a busy
    # machine may make much more in one run, but not in half of them; a worker that had no run
    # before the other had done them all compiled nothing
    assert len(list(tmp_path.iterdir())) == 2
    assert statistics.median(seconds) < 0.1 * max(seconds)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_scheduler_that_ends_is_one_line_and_the_sweep_goes_on_from_the_store(
    blobs, tmp_path, cluster
):
    many = [Experiment(hidden=(8,), epochs=20, batch_size=20, seed=seed) for seed in range(20)]
    store = RunStore(tmp_path)

    def progress(done, _total, _label):
        if done == 3:
            cluster.scheduler.kill()

    workers = Workers(scheduler=cluster.address)
    with pytest.raises(UsageError, match=r"scheduler was lost .*the same command goes on"):
        sweep(many, datasets={"mnist": blobs}, workers=workers, store=store, progress=progress)
    kept = len(store)
    assert 3 <= kept < 20
    cluster.start_scheduler()
    cluster.start_worker()
    cluster.wait(1)
    runs = sweep(many, datasets={"mnist": blobs}, workers=workers, store=store)
    assert [run.experiment for run in runs] == many
    assert len(store) == 20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_time_budget_ends_runs_on_workers_too(cluster):
    own = {"own": cluster_trial.dataset()}
    endless = Experiment(hidden=(8,), epochs=10**6, batch_size=100, record="none", dataset="own")
    short = cluster_trial.experiments()[:2]
    sweep(short, datasets=own, workers=Workers(scheduler=cluster.address))  # compiles
    many = [*short, *(endless.replace(seed=seed) for seed in range(4))]
    workers = Workers(scheduler=cluster.address, time_budget=5.0)
    runs = sweep(many, datasets=own, workers=workers)
    # The scheduler may give both workers an endless run before the last short one.
    assert all(run.experiment in short for run in runs)
    # else the workers would be busy with endless runs, which take hours
    workers = Workers(scheduler=cluster.address, time_budget=300.0)
    assert len(sweep([short[0].replace(seed=99)], datasets=own, workers=workers)) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("matter", "message"),
    [
        ("other numba", r"worker tcp://\S+ has numba 0\.1, and this process \S+: results could"),
        ("without initperf", r"lacks a package .*; install initperf"),
    ],
)
def test_a_worker_of_another_surrounding_is_one_line(blobs, cluster, matter, message):
    cluster.start_worker(matter)
    cluster.wait(3)
    with pytest.raises(UsageError, match=message) as caught:
        sweep(GRID, datasets={"mnist": blobs}, workers=Workers(scheduler=cluster.address))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_scheduler_without_workers_is_one_line(blobs, cluster):
    for number in range(2):
        cluster.kill_worker(number)
    cluster.wait_until_none()
    with pytest.raises(UsageError, match="has no workers; start 'dask worker"):
        sweep(GRID, datasets={"mnist": blobs}, workers=Workers(scheduler=cluster.address))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "ftp://127.0.0.1:1"])
def test_no_scheduler_is_one_line(blobs, address, monkeypatch):
    monkeypatch.setattr(_cluster, "CONNECT_SECONDS", 1.0)
    with pytest.raises(UsageError, match="no Dask scheduler answers at") as caught:
        sweep(GRID, datasets={"mnist": blobs}, workers=Workers(scheduler=address))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "verb",
    [
        ["map", "--depth", "2,4", "--weight-variance", "1,2", "--points", "45", "--seeds", "1"],
        ["depths", "--depth", "2,4", "--initializers", "he_normal,zeros", "--seeds", "1"],
    ],
    ids=lambda verb: verb[0],
)
def test_a_map_and_depths_of_a_cluster_are_those_of_threads(verb, lasting, tmp_path, capsys):
    data = cluster_trial.dataset()
    np.savez(tmp_path / "own.npz", X=data.train_images, y=data.train_labels)
    words = [*verb, "--activation", "relu", "--width", "8", "--epochs", "1", "--batch-size", "100"]
    words += ["--dataset", str(tmp_path / "own.npz"), "--format", "png", "--json"]
    shown = []
    for out, place in (("threads", []), ("cluster", ["--scheduler", lasting.address])):
        assert cli.main([*words, "--out", str(tmp_path / out), *place]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0] == shown[1]
    assert len(shown[0]) > 0
    assert sorted(RunStore(tmp_path / "threads/runs")) == sorted(
        RunStore(tmp_path / "cluster/runs")
    )
