"""Arrays of a training run: network, batches, optimizer state and records, and its epochs."""

import numpy as np

from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import STATISTICS, Batches, Descent, Histograms, Records
from initperf.schemes import as_scheme
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

CLASSES = 10


def batch_order(experiment: Experiment, epoch: int, count: int) -> np.ndarray:
    """Return the order in which an epoch takes its images.

    Parameters
    ----------
    experiment : Experiment
        Gives the seed.
    epoch : int
        The epoch, from 0.
    count : int
        Images.
    """
    order: np.ndarray = np.random.default_rng([experiment.seed, epoch]).permutation(count)
    return order


class Epochs:
    """Arguments of the training kernel for a run, and the run's epochs.

    The one place that translates an experiment to arrays.

    Parameters
    ----------
    experiment : Experiment
    images : numpy.ndarray
        (count, features), of the experiment's dtype.
    labels : numpy.ndarray
        (count,) int64.
    """

    def __init__(self, experiment: Experiment, images: np.ndarray, labels: np.ndarray) -> None:
        sizes = (images.shape[1], *experiment.hidden, CLASSES)
        self.network = network = Mlp(
            sizes, experiment.activation, experiment.dtype, experiment.backend, experiment.residual
        )
        self.experiment = experiment
        self.scheme = as_scheme(experiment.initializer, experiment.biases)
        self.batch_size = min(experiment.batch_size, len(images))
        self.steps = -(-len(images) // self.batch_size)
        self.batches = Batches(images, labels, np.arange(len(images)), self.batch_size)
        self.arrays = network.arrays(self.batch_size)
        start = Descent.start(experiment.optimizer, np.zeros((0, 0)), network.parameters)
        self.descent = start._replace(
            clip_norm=experiment.clip_norm or 0.0,
            clip_globally=experiment.clip == "global",
            layer_rates=np.array(self.scheme.learning_rates(network, experiment.optimizer.name)),
        )
        recorded = {"step": self.steps, "epoch": 1, "none": 0}[experiment.record]
        self.records = Records.of(self.steps, network.depth, recorded)

    def initialize(self) -> None:
        """Set weights and biases; a scheme that looks at data sees the first images of epoch 0."""
        images, seed = self.batches.images, self.experiment.seed
        chosen = batch_order(self.experiment, 0, len(images))[: self.scheme.images]
        self.network.initialize(self.scheme, seed, batch=images[chosen])

    def run(self, order: np.ndarray, first: int, rates: np.ndarray) -> tuple[int, int]:
        """Train for an epoch.

        Parameters
        ----------
        order : numpy.ndarray
            (images,) int64, the order in which the images are taken.
        first : int
            Steps before this epoch.
        rates : numpy.ndarray
            (steps,) float64, learning rates.

        Returns
        -------
        tuple of int
            Steps done, and the layer that diverged in the next one, from 0.
        """
        numbers = np.arange(first + 1, first + self.steps + 1)
        wanted = np.isin(numbers, self.experiment.histogram_steps)
        self.histograms = Histograms.of(wanted, self.network.depth)
        factors = self.experiment.optimizer.factors(rates, first)
        return KERNELS["train_epoch"][self.network.backend](  # type: ignore[no-any-return]  # a kernel's
            self.arrays,
            self.batches._replace(order=order),
            self.descent._replace(factors=factors.astype(self.arrays.parameters.dtype)),
            self.records._replace(histograms=self.histograms if wanted.any() else None),
        )

    def accuracies(self) -> np.ndarray:
        """Return the fraction of each step's images that were classified correctly."""
        sizes = np.full(self.steps, self.batch_size)
        sizes[-1] = len(self.batches.images) - self.batch_size * (self.steps - 1)
        shares: np.ndarray = self.records.correct / sizes
        return shares


class HistogramRecords:
    """Histograms of a run, epoch by epoch."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def keep(self, epochs: Epochs, first: int, done: int) -> None:
        """Keep the histograms of an epoch.

        Parameters
        ----------
        epochs : Epochs
            Just run.
        first, done : int
            Steps before the epoch, and steps of it that were done.
        """
        rows, bounds, counts = epochs.histograms
        steps = np.flatnonzero(rows[:done] >= 0)
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


class StepRecords:
    """Series and statistics of a run's steps, epoch by epoch."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.parts: dict[str, list[np.ndarray]] = {}

    def keep(self, epochs: Epochs, epoch: int, done: int, rates: np.ndarray) -> None:
        """Keep what the experiment asks for of an epoch.

        Parameters
        ----------
        epochs : Epochs
            Just run.
        epoch, done : int
            The epoch's number, from 0, and its steps that were done.
        rates : numpy.ndarray
            (steps,) float64, learning rates.
        """
        statistics = epochs.records.statistics
        first = epochs.steps - len(statistics)
        for name, values in {
            "step": epoch * epochs.steps + np.arange(1, epochs.steps + 1),
            "epoch": np.full(epochs.steps, epoch + 1),
            "loss": epochs.records.losses,
            "accuracy": epochs.accuracies(),
            "learning_rate": rates,
        }.items():
            self.parts.setdefault(name, []).append(values[first:done].copy())
        recorded = statistics[: max(0, done - first)].copy()
        self.parts.setdefault("statistics", []).append(recorded)

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
