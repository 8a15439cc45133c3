"""Sweeps on a Dask cluster of real processes on loopback."""

import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from initperf import Experiment
from initperf.errors import UsageError
from initperf.training import _cluster
from initperf.training.grids import grid
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep

GRID = list(
    grid(initializer=["he_normal", "zeros"], seed=[0, 1], hidden=(8,), epochs=2, batch_size=100)
)


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.processes = []
        self.scheduler = None

    def start(self, *words):
        """Start ``dask`` with a command."""
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "distributed.cli." + words[0], *words[1:]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def start_scheduler(self):
        """Start the scheduler."""
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        words = ("--host", host, "--port", port, "--no-dashboard", "--no-show")
        self.scheduler = self.start("dask_scheduler", *words)
        return self.scheduler

    def start_worker(self):
        """Start a worker of one thread."""
        words = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--memory-limit", "0")
        return self.start("dask_worker", self.address, *words)

    def wait(self, workers):
        """Wait until the scheduler answers and has so many workers."""
        from distributed import Client

        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def end(self):
        """End all processes."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture
def cluster():
    """Give a scheduler with two workers."""
    found = Cluster()
    try:
        found.start_scheduler()
        found.start_worker()
        found.start_worker()
        found.wait(2)
        yield found
    finally:
        found.end()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_gives_the_bits_of_threads(blobs, tmp_path, cluster):
    threads = sweep(GRID, datasets={"mnist": blobs})
    store = RunStore(tmp_path)
    workers = Workers(scheduler=cluster.address)
    runs = sweep(GRID, datasets={"mnist": blobs}, workers=workers, store=store)
    for one, other in zip(threads, runs, strict=True):
        assert one.name == other.name
        for table in ("step_columns", "layer_columns", "epoch_columns"):
            for name, values in getattr(one, table).items():
                assert np.array_equal(values, getattr(other, table)[name], equal_nan=True), name
    assert sorted(store) == sorted(run.name for run in threads)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_killed_worker_loses_and_doubles_nothing(blobs, tmp_path, cluster):
    many = [Experiment(hidden=(8,), epochs=20, batch_size=20, seed=seed) for seed in range(40)]
    store = RunStore(tmp_path)
    told = []

    def progress(done, _total, _label):
        told.append(done)
        if done == 3:
            cluster.processes[1].send_signal(signal.SIGKILL)

    workers = Workers(scheduler=cluster.address)
    runs = sweep(many, datasets={"mnist": blobs}, workers=workers, store=store, progress=progress)
    assert told == list(range(1, 41))
    assert [run.experiment for run in runs] == many
    assert len(store) == 40
    assert cluster.processes[1].poll() == -signal.SIGKILL
    assert cluster.processes[2].poll() is None


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
def test_workers_of_other_versions_and_none_are_told(blobs, cluster, monkeypatch):
    workers = Workers(scheduler=cluster.address)
    own = _cluster.versions()
    told = {}

    def other(_client, function):
        return {"tcp://1": own | told}

    def none(_client, function):
        # as Dask gives the error of a worker in an environment without initperf
        raise Exception("""ModuleNotFoundError("No module named 'initperf'")""")

    from distributed import Client

    monkeypatch.setattr(Client, "run", other)
    told["numba"] = "0.1"
    with pytest.raises(UsageError, match=r"worker tcp://1 has numba 0\.1, and this process"):
        sweep(GRID, datasets={"mnist": blobs}, workers=workers)
    monkeypatch.setattr(Client, "run", none)
    with pytest.raises(UsageError, match=r"lacks a package .*; install initperf"):
        sweep(GRID, datasets={"mnist": blobs}, workers=workers)
    monkeypatch.undo()
    for process in cluster.processes[1:]:
        process.kill()
        process.wait()
    time.sleep(1.0)
    with pytest.raises(UsageError, match="has no workers; start 'dask worker"):
        sweep(GRID, datasets={"mnist": blobs}, workers=workers)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "ftp://127.0.0.1:1"])
def test_no_scheduler_is_one_line(blobs, address, monkeypatch):
    monkeypatch.setattr(_cluster, "_CONNECT_SECONDS", 1.0)
    with pytest.raises(UsageError, match="no Dask scheduler answers at") as caught:
        sweep(GRID, datasets={"mnist": blobs}, workers=Workers(scheduler=address))
    assert "\n" not in str(caught.value)
