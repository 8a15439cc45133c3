"""Compilation, or loading from the cache, of what the training of an experiment calls."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from initperf.initializers import Initializer
from initperf.losses import LOSSES, PointwiseLoss
from initperf.training._epochs import Epochs
from initperf.training.experiment import Experiment


def warm_up(experiment: Experiment | None = None) -> float:
    """Compile, or load from the cache, what an experiment needs; return the seconds it took."""
    begin = time.perf_counter()
    epochs = _tiny(Experiment() if experiment is None else experiment)
    epochs.initialize()
    epochs.run(np.arange(4), 0, np.zeros(epochs.steps))
    epochs.network.evaluate(epochs.batches.images, epochs.batches.targets, epochs.descent.loss)
    return time.perf_counter() - begin


def compilations(experiment: Experiment) -> dict[tuple[str, bool], Callable[[], Any]]:
    """Return calls that each compile, or load, a part of what an experiment needs beside its draw.

    Returns
    -------
    dict
        By name, and whether the part takes statistics, see
        `initperf.kernels.train_epoch.compilations`.
    """
    return _tiny(experiment).compilations()


def _tiny(experiment: Experiment) -> Epochs:
    """Return epochs that need the same code as an experiment's, on four images of two values."""
    # schemes may not apply to so small a network; most of them draw from a normal distribution
    rule = experiment.rule
    plain = rule if isinstance(rule, Initializer) else "normal"
    tiny = experiment.replace(initializer=plain, hidden=(2,), batch_size=2, residual=0)
    images = np.ones((4, 2), tiny.dtype)
    if isinstance(LOSSES[tiny.loss], PointwiseLoss):
        return Epochs(tiny, images, np.ones((4, 1), tiny.dtype), 1)
    return Epochs(tiny, images, np.zeros(4, np.int64))
