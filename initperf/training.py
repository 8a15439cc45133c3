"""Training an experiment: every step measured, divergence a result."""

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

    def run(self, order: np.ndarray, rates: np.ndarray, clip_norm: float | None) -> tuple[int, int]:
        # the compiled loop never warns; run as plain Python, it would of every overflow
        with np.errstate(over="ignore", invalid="ignore"):
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

    def accuracies(self) -> np.ndarray:
        """Return the share of each step's images that were classified rightly."""
        sizes = np.full(self.steps, self.batch_size)
        sizes[-1] = len(self.images) - self.batch_size * (self.steps - 1)
        shares: np.ndarray = self.correct / sizes
        return shares


class _Records:
    """What is kept of the steps, column by column."""

    def __init__(self, record: str, depth: int) -> None:
        self.record, self.depth = record, depth
        self.parts: dict[str, list[np.ndarray]] = {}

    def keep(self, epochs: _Epochs, epoch: int, done: int, rates: np.ndarray) -> None:
        """Keep what the experiment asks for of the first `done` steps of an epoch."""
        first = {"step": 0, "epoch": max(0, done - 1), "none": done}[self.record]
        wanted = slice(first, done)
        for name, values in {
            "step": epoch * epochs.steps + np.arange(1, epochs.steps + 1),
            "epoch": np.full(epochs.steps, epoch + 1),
            "loss": epochs.losses,
            "accuracy": epochs.accuracies(),
            "learning_rate": rates,
            "statistics": epochs.statistics,
        }.items():
            self.parts.setdefault(name, []).append(values[wanted].copy())

    def columns(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the columns of the tables of steps and of layers."""
        steps = {name: np.concatenate(parts) for name, parts in self.parts.items()}
        statistics = steps.pop("statistics")
        layers = {
            "step": np.repeat(steps["step"], self.depth),
            "layer": np.tile(np.arange(1, self.depth + 1), len(statistics)),
        }
        for column, name in enumerate(STATISTICS):
            layers[name] = statistics[:, :, column].reshape(-1)
        return steps, layers


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

    records = _Records(experiment.record, network.depth)
    diverged_step = diverged_layer = None
    train_seconds = 0.0
    with threadpool_limits(threads, user_api="blas"):
        scores = [network.evaluate(*test)]
        for epoch in range(experiment.epochs):
            order = np.random.default_rng([experiment.seed, epoch]).permutation(len(images))
            rates = learning_rates(experiment, epoch * epochs.steps, epochs.steps)
            begin = time.perf_counter()
            done, layer = epochs.run(order, rates, experiment.clip_norm)
            train_seconds += time.perf_counter() - begin
            records.keep(epochs, epoch, done, rates)
            if done < epochs.steps:
                diverged_step, diverged_layer = epoch * epochs.steps + done + 1, layer + 1
                break
            scores.append(network.evaluate(*test))
            if progress is not None:
                progress(epoch + 1, experiment.epochs)

    step_columns, layer_columns = records.columns()
    losses, accuracies = np.array(scores).T
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
        test_accuracy=float(accuracies[-1]),
        train_seconds=train_seconds,
        compile_seconds=compile_seconds,
        step_columns=step_columns,
        layer_columns=layer_columns,
        epoch_columns={
            "epoch": np.arange(len(scores)),
            "test_loss": np.where(np.isfinite(losses), losses, np.nan),
            "test_accuracy": accuracies,
        },
    )
