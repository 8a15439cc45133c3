"""Sweeps killed at random moments: ``python tests/kill_trial.py --kills 100`` counts what is lost.

Each sweep writes to the same store and is killed with SIGKILL a random time after it has finished
a run, or while it starts. After each, every run that was complete before must be there, and all
runs must be readable.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import child
import numpy as np

from initperf.errors import DataError
from initperf.training.store import RunStore

SWEEP = """
    import sys
    from initperf import cli
    sys.exit(cli.main(["sweep", "--dataset", sys.argv[1], "--out", sys.argv[2], *sys.argv[3:]]))
"""

WORDS = ("--hidden", "8", "--epochs", "3", "--batch-size", "20", "--record", "none")


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


def data_file(directory: Path) -> Path:
    """Write a small data set of three classes; return its path."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    path = directory / "data.npz"
    np.savez(path, X=rng.normal(size=(300, 8)) + 3.0 * labels[:, None], y=labels)
    return path


def kill(file: Path, runs: Path, kills: int, seeds: int, seed: int = 0) -> Trial:
    """Kill sweeps of one grid.

    Parameters
    ----------
    file : Path
        The data set.
    runs : Path
        Directory of the store.
    kills : int
        How many.
    seeds : int
        Runs of the grid; so many that none gets through them all.
    seed : int
        Seeds the moments.
    """
    generator = np.random.default_rng(seed)
    trial = Trial()
    while trial.kills < kills:
        before = len(trial.complete)
        listed = ",".join(map(str, range(seeds)))
        process = child.start(SWEEP, str(file), str(runs), "--seed", listed, *WORDS)
        deadline = time.monotonic() + child.TIMEOUT_SECONDS
        early = generator.random() < 0.1
        while process.poll() is None and not early and time.monotonic() < deadline:
            if runs.exists() and len(list(runs.glob("*.parquet"))) > before:
                break
            time.sleep(0.002)
        time.sleep(generator.uniform(0.0, 0.05))
        process.kill()
        process.communicate()
        trial.kills += process.returncode != 0
        if process.returncode == 0 or not runs.exists():
            seeds *= 2
            continue
        store = RunStore(runs)
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


def main() -> None:
    """Run the trial, let a last sweep end, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        file, runs = data_file(Path(directory)), Path(directory, "runs")
        trial = kill(file, runs, arguments.kills, 1000, arguments.seed)
        child.run(SWEEP, str(file), str(runs), "--seed", "0,1,2", *WORDS)
        left = len(list(runs.glob(".*")))
        print(
            f"{trial.kills} kills, {len(trial.complete)} runs complete, {trial.lost} lost, "
            f"{trial.damaged} damaged, {trial.leftovers} temporary files seen, "
            f"{left} left by the next sweep"
        )


if __name__ == "__main__":
    main()
