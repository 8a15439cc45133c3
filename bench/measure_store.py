"""Size of the files of many runs, and the time that listing them takes.

    python bench/measure_store.py --runs 10000

One run without step records is trained; its file is written under many names and seeds. Each
listing is ``initperf runs`` as a process of its own, with the start of the interpreter: first
without the index, which it writes, and then with it.
"""

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from initperf import Experiment, train
from initperf.training.store import RunStore


def _fill(store: RunStore, count: int, epochs: int) -> None:
    """Write runs that differ in their seed."""
    run = train(Experiment(hidden=(100,) * 10, epochs=epochs, dataset="mnist_5k", record="none"))
    for seed in range(count):
        experiment = run.experiment.replace(seed=seed)
        store.save(dataclasses.replace(run, name=f"{seed:016x}", experiment=experiment))


def _seconds(*words: str) -> float:
    """Return the seconds of a command line of initperf."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "initperf", *words], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begin


def main() -> None:
    """Fill a store and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        store = RunStore(Path(directory, "runs"))
        begin = time.perf_counter()
        _fill(store, arguments.runs, arguments.epochs)
        print(f"{arguments.runs:,} runs written in {time.perf_counter() - begin:.1f} s")
        sizes = [path.stat().st_size for path in store.directory.glob("*.parquet")]
        print(f"bytes a run: {sum(sizes) / len(sizes):,.0f} on average, {max(sizes):,} at most")
        runs = str(store.directory)
        print(f"listed without an index in {_seconds('runs', runs):.2f} s")
        print(f"listed with the index in {_seconds('runs', runs):.2f} s")
        where = ("runs", runs, "--where", "activation=relu and depth>5 and seed<10")
        print(f"filtered in {_seconds(*where):.2f} s")


if __name__ == "__main__":
    main()
