"""Sweeps killed at random moments: ``python tests/kill_trial.py --kills 100`` counts what is lost.

Each sweep is a forked process that writes to the same store, and is killed with SIGKILL a random
time after it has finished a run, or while it starts. After each, every run that was complete
before must be there, and all runs must be readable.
"""

import argparse
import os
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from initperf.data import Dataset, from_arrays
from initperf.errors import DataError
from initperf.training.experiment import Experiment
from initperf.training.store import RunStore
from initperf.training.sweep import sweep

_WAIT_SECONDS = 60.0


@dataclass
class Trial:
    """What was counted.

    Attributes
    ----------
    kills : int
        Processes that were killed before they had done all.
    complete : set of str
        Runs that were ever seen complete.
    lost, damaged : int
        Runs that disappeared, and files under a run's name that cannot be read.
    leftovers : int
        Temporary files that were seen after kills.
    """

    kills: int = 0
    complete: set[str] = field(default_factory=set)
    lost: int = 0
    damaged: int = 0
    leftovers: int = 0


def dataset() -> Dataset:
    """Make a small data set of three classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    return from_arrays(rng.normal(size=(300, 8)) + 3.0 * labels[:, None], labels)


def experiments(count: int) -> list[Experiment]:
    """Make experiments that take some milliseconds each."""
    small = Experiment(
        hidden=(8,), epochs=3, batch_size=20, record="none", backend="numpy", dataset="own"
    )
    return [small.replace(seed=seed) for seed in range(count)]


def start(runs: Path, data: Dataset, count: int) -> int:
    """Start a sweep in a forked process; return its number."""
    process = os.fork()
    if process == 0:
        try:
            sweep(experiments(count), workers=2, store=RunStore(runs), datasets={"own": data})
            os._exit(0)
        finally:
            os._exit(1)
    return process


def kill(runs: Path, kills: int, seed: int = 0) -> Trial:
    """Kill sweeps of one grid.

    Parameters
    ----------
    runs : Path
        Directory of the store.
    kills : int
        How many.
    seed : int
        Seeds the moments.
    """
    generator = np.random.default_rng(seed)
    trial, data, store = Trial(), dataset(), RunStore(runs)
    while trial.kills < kills:
        before = len(trial.complete)
        process = start(runs, data, before + 1000)
        deadline = time.monotonic() + _WAIT_SECONDS
        early = generator.random() < 0.1
        while not early and len(store) <= before and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(generator.uniform(0.0, 0.05))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        trial.kills += os.WIFSIGNALED(status)
        names = set(store)
        trial.lost += len(trial.complete - names)
        trial.leftovers += len(list(runs.glob(".*")))
        for name in names - trial.complete:
            try:
                store.load(name)
            except DataError:
                trial.damaged += 1
        trial.complete |= names
    return trial


def finish(runs: Path) -> int:
    """Let a sweep end, and return how many temporary files it leaves."""
    os.waitpid(start(runs, dataset(), 3), 0)
    return len(list(runs.glob(".*")))


def main() -> None:
    """Run the trial, let a last sweep end, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        runs = Path(directory, "runs")
        trial = kill(runs, arguments.kills, arguments.seed)
        left = finish(runs)
        print(
            f"{trial.kills} kills, {len(trial.complete)} runs complete, {trial.lost} lost, "
            f"{trial.damaged} damaged, {trial.leftovers} temporary files seen, "
            f"{left} left by the next sweep"
        )


if __name__ == "__main__":
    main()
