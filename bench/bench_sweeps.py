"""Sweeps on one processor against sweeps on all of them, from the experiments to the runs.

A sweep has eight runs, of a narrow and of a wide network, over the 5,000 images that come with
initperf, and keeps none. Eight runs are shared evenly among 2, 4 and 8 processors. The ratio is the
throughput on all processors by that on one; give it time for rounds of about ten seconds each:

    pytest --benchmark --benchmark-max-time=120 --benchmark-passes=1 bench/bench_sweeps.py
"""

from functools import partial
from typing import Any

import pytest

from initperf import data
from initperf._core.parallel import default_threads
from initperf.training.experiment import Experiment
from initperf.training.grids import grid
from initperf.training.sweep import Workers, sweep

RUNS = 8
NETWORKS = {
    "narrow": {"hidden": (100,) * 10, "activation": "tanh", "epochs": 8},
    "wide": {"hidden": (512, 256, 128), "activation": "relu", "epochs": 5},
}


def _experiments(name: str, record: str) -> list[Experiment]:
    return list(grid(dataset="mnist_5k", seed=list(range(RUNS)), record=record, **NETWORKS[name]))


@pytest.mark.parametrize("record", ["step", "none"])
@pytest.mark.parametrize("backend", ["threads", "processes"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_sweep_on_all_processors(ab: Any, name: str, backend: str, record: str) -> None:
    """A ratio of 2 says that two processors train twice as many runs a second as one."""
    experiments, sets = _experiments(name, record), {"mnist_5k": data.load("mnist_5k")}

    def run(count: int) -> None:
        runs = sweep(experiments, workers=Workers(count, backend), datasets=sets)
        assert len(runs) == RUNS

    count = default_threads()
    run(count)  # compiles, and starts the processes of joblib, which stay
    ab(partial(run, 1), partial(run, count))
