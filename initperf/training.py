"""Training an experiment: every step measured, divergence a result."""

import math
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from initperf import data
from initperf.experiment import Experiment
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import STATISTICS, work_size
from initperf.network import Mlp
from initperf.random import STREAM_VERSION
from initperf.run import Run

CLASSES = 10
_HALF_CYCLE = 2000
_LOWEST = 0.01

Progress = Callable[[int, int], None]


def learning_rates(experiment: Experiment, first: int, count: int) -> np.ndarray:
    """Return the learning rates of `count` steps from step `first`, counted from 0."""
    if experiment.schedule == "constant":
        return np.full(count, experiment.learning_rate)
    position = np.abs((np.arange(first, first + count) / _HALF_CYCLE + 1.0) % 2.0 - 1.0)
    lowest = _LOWEST * experiment.learning_rate
    return lowest + (experiment.learning_rate - lowest) * position


def warm_up(dtype: str = "float32") -> float:
    """Compile, or load from the cache, everything training needs; return the seconds it took."""
    begin = time.perf_counter()
    network = Mlp((2, 2, CLASSES), dtype=dtype).initialize("he_normal", rng=0)
    images, labels = np.ones((2, 2), dtype), np.zeros(2, np.int64)
    _Epochs(network, images, labels, batch_size=2).run(np.arange(2), np.zeros(1), None)
    network.evaluate(images, labels)
    return time.perf_counter() - begin


class _Epochs:
    """The work space of a run, and its epochs."""

    def __init__(
        self, network: Mlp, images: np.ndarray, labels: np.ndarray, batch_size: int
    ) -> None:
        self.network, self.images, self.labels = network, images, labels
        self.batch_size = min(batch_size, len(images))
        self.steps = -(-len(images) // self.batch_size)
        self.gradients = np.zeros_like(network.parameters)
        self.work = np.zeros(work_size(network.sizes, self.batch_size), images.dtype)
        self.losses = np.zeros(self.steps)
        self.correct = np.zeros(self.steps, np.int64)
        self.statistics = np.zeros((self.steps, network.depth, len(STATISTICS)))

    def run(
        self, order: np.ndarray, rates: np.ndarray, clip_norm: float | None
    ) -> tuple[int, int]:
        done, layer = KERNELS["train_epoch"][self.network.backend](
            self.images,
            self.labels,
            order,
            self.batch_size,
            self.network.sizes,
            self.network.activation.code,
            self.network.parameters,
            self.gradients,
            self.work,
            rates,
            0.0 if clip_norm is None else clip_norm,
            self.losses,
            self.correct,
            self.statistics,
        )
        return int(done), int(layer)

    def rows(self, keep: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return copies of the losses, accuracies and statistics of some steps."""
        sizes = np.full(self.steps, self.batch_size)
        sizes[-1] = len(self.images) - self.batch_size * (self.steps - 1)
        accuracy = self.correct / sizes
        return self.losses[keep].copy(), accuracy[keep], self.statistics[keep].copy()


def train(
    experiment: Experiment,
    *,
    dataset: data.Dataset | None = None,
    threads: int | None = 1,
    progress: Progress | None = None,
) -> Run:
    """Train a network as an experiment says.

    Parameters
    ----------
    experiment : Experiment
    dataset : initperf.data.Dataset, optional
        The data, where it is at hand; loaded by the experiment's name otherwise.
    threads : int, optional
        How many threads BLAS takes: with one, the same experiment gives the same run to the bit.
        None leaves the setting of the process as it is.
    progress : callable, optional
        Called with (epochs done, epochs in all).

    Returns
    -------
    Run
        ``status`` is ``"diverged"`` when the numbers stopped being finite; what was recorded
        until then is there.

    Raises
    ------
    initperf.errors.DataError
        When the data cannot be had.

    Notes
    -----
    Weights come from one stream a layer of the experiment's seed, and the order of the images
    from the seed and the epoch: experiments that differ only in initializer or activation see
    the same batches.
    """
    dataset = data.load(experiment.dataset) if dataset is None else dataset
    dtype = experiment.dtype
    compile_seconds = warm_up(dtype) if experiment.backend == "numba" else 0.0
    # labels are copied because compiled code has a type of its own for arrays that are read-only
    images, labels = dataset.features("train", dtype), dataset.train_labels.copy()
    test = dataset.features("test", dtype), dataset.test_labels.copy()
    sizes = (images.shape[1], *experiment.hidden, CLASSES)
    network = Mlp(sizes, experiment.activation, dtype, experiment.backend)
    network.initialize(experiment.initializer, rng=experiment.seed)
    epochs = _Epochs(network, images, labels, experiment.batch_size)

    with threadpool_limits(threads, user_api="blas"):
        scores = [network.evaluate(*test)]
        kept: list[tuple[np.ndarray, ...]] = []
        diverged_step = diverged_layer = None
        train_seconds = 0.0
        for epoch in range(experiment.epochs):
            first = epoch * epochs.steps
            order = np.random.default_rng([experiment.seed, epoch]).permutation(len(images))
            rates = learning_rates(experiment, first, epochs.steps)
            begin = time.perf_counter()
            done, layer = epochs.run(order, rates, experiment.clip_norm)
            train_seconds += time.perf_counter() - begin
            keep = {"step": slice(0, done), "epoch": slice(max(0, done - 1), done)}.get(
                experiment.record, slice(0, 0)
            )
            number = np.arange(first + 1, first + epochs.steps + 1)[keep]
            kept.append((number, np.full(len(number), epoch + 1), *epochs.rows(keep), rates[keep]))
            if done < epochs.steps:
                diverged_step, diverged_layer = first + done + 1, layer + 1
                break
            scores.append(network.evaluate(*test))
            if progress is not None:
                progress(epoch + 1, experiment.epochs)

    step, epoch_of, loss, accuracy, statistics, rate = map(
        np.concatenate, zip(*kept, strict=True)
    )
    layer_columns = {
        "step": np.repeat(step, network.depth),
        "layer": np.tile(np.arange(1, network.depth + 1), len(step)),
    }
    for column, name in enumerate(STATISTICS):
        layer_columns[name] = statistics[:, :, column].reshape(-1)
    return Run(
        experiment=experiment,
        name=experiment.name(dataset.digest, STREAM_VERSION),
        dataset={
            "dataset": dataset.name,
            "dataset_size": dataset.size,
            "dataset_digest": dataset.digest,
        },
        status="finished" if diverged_step is None else "diverged",
        diverged_step=diverged_step,
        diverged_layer=diverged_layer,
        test_accuracy=scores[-1][1],
        train_seconds=train_seconds,
        compile_seconds=compile_seconds,
        step_columns={
            "step": step,
            "epoch": epoch_of,
            "loss": loss,
            "accuracy": accuracy,
            "learning_rate": rate,
        },
        layer_columns=layer_columns,
        epoch_columns={
            "epoch": np.arange(len(scores)),
            "test_loss": np.array([s if math.isfinite(s) else np.nan for s, _ in scores]),
            "test_accuracy": np.array([accuracy for _, accuracy in scores]),
        },
    )
