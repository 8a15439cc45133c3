"""The arrays of a training run: network, work space, epochs and records."""

import numpy as np

from initperf.jit.cache_lines import aligned_zeros
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import STATISTICS, Descent, Histograms, work_size
from initperf.schemes import as_scheme
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

CLASSES = 10


def batch_order(experiment: Experiment, epoch: int, count: int) -> np.ndarray:
    order: np.ndarray = np.random.default_rng([experiment.seed, epoch]).permutation(count)
    return order


class Epochs:
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
        self.optimizer = experiment.optimizer
        self.scheme = as_scheme(experiment.initializer, experiment.biases)
        self.layer_rates = self.scheme.learning_rates(network, self.optimizer.name)
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
        chosen = batch_order(experiment, 0, len(self.images))[: scheme.images]
        self.network.initialize(scheme, experiment.seed, batch=self.images[chosen])

    def run(self, order: np.ndarray, first: int, rates: np.ndarray) -> tuple[int, int]:
        """Train for an epoch from step `first`; return the steps done and the layer of trouble."""
        experiment, network = self.experiment, self.network
        wanted = np.isin(np.arange(first + 1, first + self.steps + 1), experiment.histogram_steps)
        self.histograms = Histograms.of(wanted, network.depth)
        factors = self.optimizer.factors(rates, first).astype(self.images.dtype)
        return KERNELS["train_epoch"][network.backend](  # type: ignore[no-any-return]  # a kernel's
            *(self.images, self.labels, order, self.batch_size, network.sizes),
            *(network.activation, network.parameters, self.gradients, self.work, rates),
            experiment.clip_norm or 0.0,
            *(self.losses, self.correct, self.statistics),
            Descent(
                *(self.optimizer, factors, self.memories),
                experiment.clip == "global",
                np.array(self.layer_rates),
            ),
            network.blocks,
            self.histograms if wanted.any() else None,
        )

    def accuracies(self) -> np.ndarray:
        """Return the share of each step's images that were classified rightly."""
        sizes = np.full(self.steps, self.batch_size)
        sizes[-1] = len(self.images) - self.batch_size * (self.steps - 1)
        shares: np.ndarray = self.correct / sizes
        return shares


class HistogramRecords:
    """The histograms of a run."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def keep(self, epochs: Epochs, first: int, done: int) -> None:
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


class StepRecords:
    """What is kept of the steps, column by column."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.parts: dict[str, list[np.ndarray]] = {}

    def keep(self, epochs: Epochs, epoch: int, done: int, rates: np.ndarray) -> None:
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
