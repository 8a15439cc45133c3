"""Training an experiment: every step measured, divergence a result."""

import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from initperf import data
from initperf.aligned import aligned_zeros
from initperf.experiment import Experiment
from initperf.initializers import INITIALIZERS
from initperf.kernels import KERNELS
from initperf.kernels._optimizers import OPTIMIZERS, Settings
from initperf.kernels.train_epoch import STATISTICS, Descent, Histograms, work_size
from initperf.network import Mlp
from initperf.phases import phase
from initperf.random import STREAM_VERSION
from initperf.run import Run
from initperf.schemes import as_scheme

TRAINING_VERSION = 2
"""What training makes of an experiment; a change that stored runs lack is a new version."""

CLASSES = 10
_LOWEST = 0.01

Progress = Callable[[int, int], None]


def run_name(experiment: Experiment, digest: str) -> str:
    """Return the name of the run of an experiment on the data of a digest."""
    return experiment.name(digest, STREAM_VERSION, TRAINING_VERSION)


def learning_rates(
    experiment: Experiment, first: int, count: int, total: int | None = None
) -> np.ndarray:
    """Return the learning rates of `count` steps from step `first`, counted from 0.

    Of `total` steps, at the end of which the cosine is at its lowest; by default those asked for.
    """
    total = first + count if total is None else total
    if experiment.schedule == "constant":
        return np.full(count, experiment.learning_rate)
    highest = experiment.learning_rate
    lowest = _LOWEST * highest if experiment.base_rate is None else experiment.base_rate
    steps = np.arange(first, first + count)
    if experiment.schedule == "triangular":
        position = np.abs((steps / experiment.half_cycle + 1.0) % 2.0 - 1.0)
    elif experiment.schedule == "cosine":
        rise = experiment.warm_up_steps
        after = np.clip((steps - rise) / max(1, total - rise), 0.0, 1.0)
        position = 0.5 + 0.5 * np.cos(np.pi * after)
        if rise:
            warm = (steps + 1) / rise * highest
            return np.where(steps < rise, warm, lowest + (highest - lowest) * position)
    rates: np.ndarray = lowest + (highest - lowest) * position
    return rates


def warm_up(experiment: Experiment | None = None) -> float:
    """Compile, or load from the cache, what an experiment needs; return the seconds it took."""
    experiment = Experiment() if experiment is None else experiment
    begin = time.perf_counter()
    # schemes may not apply to so small a network; what they draw is normal, most of them
    plain = experiment.initializer if experiment.initializer in INITIALIZERS else "normal"
    tiny = experiment.replace(initializer=plain, hidden=(2,), batch_size=2, residual=0)
    images, labels = np.ones((4, 2), tiny.dtype), np.zeros(4, np.int64)
    epochs = _Epochs(tiny, images, labels)
    epochs.initialize()
    epochs.run(np.arange(4), 0, np.zeros(epochs.steps))
    epochs.network.evaluate(images, labels)
    return time.perf_counter() - begin


def _order(experiment: Experiment, epoch: int, count: int) -> np.ndarray:
    order: np.ndarray = np.random.default_rng([experiment.seed, epoch]).permutation(count)
    return order


class _Epochs:
    """The network and the work space of a run, and its epochs."""

    def __init__(self, experiment: Experiment, images: np.ndarray, labels: np.ndarray) -> None:
        self.experiment, self.images, self.labels = experiment, images, labels
        sizes = (images.shape[1], *experiment.hidden, CLASSES)
        self.network = network = Mlp(
            sizes, experiment.activation, experiment.dtype, experiment.backend, experiment.residual
        )
        self.batch_size = min(experiment.batch_size, len(images))
        self.steps = -(-len(images) // self.batch_size)
        recorded = {"step": self.steps, "epoch": 1, "none": 0}[experiment.record]
        self.optimizer = OPTIMIZERS[experiment.optimizer]
        self.settings = Settings(**{name: getattr(experiment, name) for name in Settings._fields})
        self.scheme = as_scheme(experiment.initializer, experiment.biases)
        self.layer_rates = self.scheme.learning_rates(network, experiment.optimizer)
        count, dtype = len(network.parameters), images.dtype
        self.memories = aligned_zeros((self.optimizer.memories, count), dtype)
        self.gradients = aligned_zeros(count, dtype)
        self.work = aligned_zeros(work_size(network.sizes, self.batch_size), dtype)
        self.losses = np.zeros(self.steps)
        self.correct = np.zeros(self.steps, np.int64)
        self.statistics = np.zeros((recorded, network.depth, len(STATISTICS)))

    def initialize(self) -> None:
        """Set the weights and biases, by the images that come first where the rule looks at any."""
        experiment, scheme = self.experiment, self.scheme
        chosen = _order(experiment, 0, len(self.images))[: scheme.images]
        self.network.initialize(scheme, experiment.seed, batch=self.images[chosen])

    def run(self, order: np.ndarray, first: int, rates: np.ndarray) -> tuple[int, int]:
        """Train for an epoch from step `first`; return the steps done and the layer of trouble."""
        experiment, network = self.experiment, self.network
        wanted = np.isin(np.arange(first + 1, first + self.steps + 1), experiment.histogram_steps)
        self.histograms = Histograms.of(wanted, network.depth)
        factors = self.optimizer.factors(rates, first, self.settings).astype(self.images.dtype)
        return KERNELS["train_epoch"][network.backend](  # type: ignore[no-any-return]  # a kernel's
            *(self.images, self.labels, order, self.batch_size, network.sizes),
            *(network.activation.code, network.parameters, self.gradients, self.work, rates),
            experiment.clip_norm or 0.0,
            *(self.losses, self.correct, self.statistics),
            Descent(
                *(self.optimizer.code, factors, self.memories),
                experiment.clip == "global",
                np.array(self.layer_rates),
            ),
            network.residual,
            self.histograms if wanted.any() else None,
        )

    def accuracies(self) -> np.ndarray:
        """Return the share of each step's images that were classified rightly."""
        sizes = np.full(self.steps, self.batch_size)
        sizes[-1] = len(self.images) - self.batch_size * (self.steps - 1)
        shares: np.ndarray = self.correct / sizes
        return shares


class _HistogramRecords:
    """The histograms of a run."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def keep(self, epochs: _Epochs, first: int, done: int) -> None:
        """Keep those of the first `done` steps of an epoch that began after `first` steps."""
        places, bounds, counts = epochs.histograms
        steps = np.flatnonzero(places[:done] >= 0)
        self.parts.append((first + 1 + steps, bounds[: len(steps)], counts[: len(steps)]))

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns of the table."""
        steps, bounds, counts = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        rows, layers, quantities, bins = counts.shape
        shape = counts.shape
        edges = np.linspace(bounds[..., 0], bounds[..., 1], bins + 1, axis=-1)
        columns = {
            "step": steps.reshape(rows, 1, 1, 1),
            "layer": np.arange(1, layers + 1).reshape(1, layers, 1, 1),
            "quantity": np.array(["activation", "gradient"]).reshape(1, 1, quantities, 1),
            "bin_left": edges[..., :-1],
            "bin_right": edges[..., 1:],
            "count": counts,
        }
        return {name: np.broadcast_to(x, shape).reshape(-1) for name, x in columns.items()}


class _Records:
    """What is kept of the steps, column by column."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.parts: dict[str, list[np.ndarray]] = {}

    def keep(self, epochs: _Epochs, epoch: int, done: int, rates: np.ndarray) -> None:
        """Keep what the experiment asks for of the first `done` steps of an epoch."""
        first = epochs.steps - len(epochs.statistics)
        for name, values in {
            "step": epoch * epochs.steps + np.arange(1, epochs.steps + 1),
            "epoch": np.full(epochs.steps, epoch + 1),
            "loss": epochs.losses,
            "accuracy": epochs.accuracies(),
            "learning_rate": rates,
        }.items():
            self.parts.setdefault(name, []).append(values[first:done].copy())
        self.parts.setdefault("statistics", []).append(
            epochs.statistics[: max(0, done - first)].copy()
        )

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
    ValueError
        When a scheme that looks at data cannot be applied to them.

    Notes
    -----
    Weights come from one stream a layer of the experiment's seed, and the order of the images
    from the seed and the epoch: experiments that differ only in initializer or activation see
    the same batches.
    """
    dtype = experiment.dtype
    with phase("data"):
        dataset = data.load(experiment.dataset) if dataset is None else dataset
    with phase("compile or load"):
        compile_seconds = warm_up(experiment) if experiment.backend == "numba" else 0.0
    with phase("data"):
        # labels are copied: compiled code has a type of its own for arrays that are read-only
        images, labels = dataset.features("train", dtype), dataset.train_labels.copy()
        test = dataset.features("test", dtype), dataset.test_labels.copy()
    epochs = _Epochs(experiment, images, labels)
    network = epochs.network
    records, histograms = _Records(network.depth), _HistogramRecords()
    diverged_step = diverged_layer = None
    train_seconds = 0.0
    with threadpool_limits(threads, user_api="blas"):
        with phase("draw"):
            epochs.initialize()
        with phase("evaluation"):
            scores = [network.evaluate(*test)]
        for epoch in range(experiment.epochs):
            order = _order(experiment, epoch, len(images))
            first = epoch * epochs.steps
            rates = learning_rates(
                experiment, first, epochs.steps, experiment.epochs * epochs.steps
            )
            begin = time.perf_counter()
            with phase("steps"):
                done, layer = epochs.run(order, first, rates)
            train_seconds += time.perf_counter() - begin
            records.keep(epochs, epoch, done, rates)
            histograms.keep(epochs, first, done)
            if done < epochs.steps:
                diverged_step, diverged_layer = first + done + 1, layer + 1
                break
            with phase("evaluation"):
                scores.append(network.evaluate(*test))
            if progress is not None:
                progress(epoch + 1, experiment.epochs)

    step_columns, layer_columns = records.columns()
    losses, accuracies = np.array(scores).T
    return Run(
        experiment=experiment,
        name=run_name(experiment, dataset.digest),
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
        histogram_columns=histograms.columns(),
    )
