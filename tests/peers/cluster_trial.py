"""Workers of a Dask cluster killed in mid-sweep: what is lost, doubled or different.

    python tests/peers/cluster_trial.py --kills 20

Each sweep trains forty runs on two workers, one of which is killed with SIGKILL after a random
number of runs; another takes its place before the next sweep. All runs must arrive once each, be in
the store once each, and have the bits of runs that one thread trained.
"""

import argparse
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dask_processes import Cluster

from initperf.data import Dataset, from_arrays
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep

RUNS = 40


@dataclass
class Trial:
    """What was counted.

    Attributes
    ----------
    kills : int
        Workers that were killed while runs were under way.
    arrived, missing, doubled, different : int
        Runs in all, those that did not arrive, those that arrived more than once, and those whose
        losses differ in a bit from those of a sweep on threads.
    """

    kills: int = 0
    arrived: int = 0
    missing: int = 0
    doubled: int = 0
    different: int = 0


def dataset() -> Dataset:
    """Make a small data set of three classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    return from_arrays(rng.normal(size=(300, 8)) + labels[:, None], labels)


def experiments() -> list[Experiment]:
    """Make experiments that take some tens of milliseconds each."""
    small = Experiment(hidden=(8,), epochs=20, batch_size=20, dataset="own")
    return [small.replace(seed=seed) for seed in range(RUNS)]


def kill_one(cluster: Cluster, trial: Trial, expected: list[Run], after: int) -> None:
    """Sweep, and kill the older of two workers after some runs.

    Parameters
    ----------
    cluster : Cluster
        With two workers.
    trial : Trial
        Its counts are added to.
    expected : list of Run
        Of a sweep on threads.
    after : int
        Runs after which the worker is killed.
    """
    told: list[int] = []

    def progress(done: int, _total: int, _label: str) -> None:
        told.append(done)
        if done == after:
            cluster.kill_worker(-2)
            trial.kills += 1

    with tempfile.TemporaryDirectory() as directory:
        store = RunStore(Path(directory))
        runs = sweep(
            experiments(),
            datasets={"own": dataset()},
            workers=Workers(scheduler=cluster.address),
            store=store,
            progress=progress,
        )
        trial.missing += len({run.name for run in expected} - set(store))
    trial.arrived += len(runs)
    trial.doubled += len(told) - len(set(told)) + max(0, len(told) - RUNS)
    trial.different += sum(
        not np.array_equal(one.step_columns["loss"], other.step_columns["loss"])
        for one, other in zip(expected, runs, strict=True)
    )


def main() -> None:
    """Run the trial and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)  # of Dask's sockets
    rng, trial = np.random.default_rng(0), Trial()
    expected = sweep(experiments(), datasets={"own": dataset()})
    cluster = Cluster()
    try:
        cluster.start_scheduler()
        cluster.start_worker()
        for _ in range(arguments.kills):
            cluster.start_worker()
            cluster.wait(2)
            kill_one(cluster, trial, expected, after=int(rng.integers(1, RUNS - 5)))
    finally:
        cluster.end()
    print(
        f"{trial.kills} workers killed, {trial.arrived} runs arrived, {trial.missing} missing, "
        f"{trial.doubled} doubled, {trial.different} different from those of threads"
    )


if __name__ == "__main__":
    main()
