"""Estimate of the time of a sweep from a few steps of its networks."""

import itertools
import time
from collections.abc import Iterable, Mapping

import numpy as np

from initperf.data import Dataset
from initperf.jit.blas import blas_threads
from initperf.training._epochs import Epochs
from initperf.training._warm_up import warm_up
from initperf.training._workers import Stop, on_threads
from initperf.training.experiment import Experiment

_STEPS = 5
_REPETITIONS = 3
_MOST_NETWORKS = 12


def sweep_seconds(
    experiments: Iterable[Experiment], sets: Mapping[str, Dataset], workers: int
) -> float:
    """Return the estimated seconds of a sweep, without compilation.

    A few steps and an evaluation are timed of each kind of network, of twelve at most; others are
    taken to last as long, by operation, as the timed one next to them in size. As many copies
    run side by side as the sweep has workers, since they share caches and memory.

    Parameters
    ----------
    experiments : iterable of Experiment
        What would be trained.
    sets : mapping of str to Dataset
        Data sets by name.
    workers : int
        Runs at a time.
    """
    kinds: dict[Experiment, list[Experiment]] = {}
    for one in experiments:
        kinds.setdefault(one.replace(seed=0, learning_rate=0.0, epochs=1), []).append(one)
    ordered = sorted(kinds, key=lambda one: _operations(one, sets[one.dataset]))
    count = min(_MOST_NETWORKS, len(ordered))
    timed = [ordered[i] for i in np.linspace(0, len(ordered) - 1, count).round().astype(int)]
    seconds = {one: _epoch_seconds(one, sets[one.dataset], workers) for one in dict.fromkeys(timed)}
    total = 0.0
    for kind, members in kinds.items():
        size = _operations(kind, sets[kind.dataset])
        near = min(seconds, key=lambda one: abs(_operations(one, sets[one.dataset]) - size))
        epoch = seconds[near] * size / _operations(near, sets[near.dataset])
        total += epoch * sum(one.epochs for one in members)
    return total / workers


def _operations(experiment: Experiment, dataset: Dataset) -> int:
    """Return the multiplications of an epoch, to a constant factor."""
    widths = (dataset.train_images.shape[1], *experiment.hidden, dataset.outputs)
    parameters = sum(a * b for a, b in itertools.pairwise(widths))
    return int(parameters * len(dataset.train_labels))


def _epoch_seconds(experiment: Experiment, dataset: Dataset, workers: int) -> float:
    """Return the seconds of an epoch with its evaluation, of several side by side."""
    if experiment.backend == "numba":
        warm_up(experiment)
    size = min(experiment.batch_size, len(dataset.train_labels))
    count = min(_STEPS * size, len(dataset.train_labels))
    images = dataset.features("train", experiment.dtype, count)
    targets = dataset.targets("train", experiment.dtype, count)

    def one(_number: int) -> float:
        epochs = Epochs(experiment, images, targets, dataset.outputs)
        epochs.initialize()
        order, rates, best = np.arange(count), np.zeros(epochs.steps), float("inf")
        for _ in range(_REPETITIONS):
            begin = time.perf_counter()
            epochs.run(order, 0, rates)
            middle = time.perf_counter()
            epochs.network.evaluate(images, targets, epochs.descent.loss)
            end = time.perf_counter()
            steps = (middle - begin) * len(dataset.train_labels) / count
            best = min(best, steps + (end - middle) * len(dataset.test_labels) / count)
        return best

    with blas_threads(1):
        return float(np.mean(list(on_threads(one, range(workers), workers, Stop()))))
