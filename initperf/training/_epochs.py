"""Arrays of a training run: network, batches, optimizer state and records, and its epochs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import (
    STATISTICS,
    Batches,
    Descent,
    Histograms,
    Records,
    compilations,
)
from initperf.losses import LOSSES, PointwiseLoss
from initperf.schemes import as_scheme
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

CLASSES = 10
"""Classes of the data sets that have names."""

PIECE_OPERATIONS = 2_000_000_000
"""Floating-point operations of the steps of one call of the kernel: about 0.1 s."""

_OPERATIONS = 6
"""Floating-point operations for each parameter and image of a step.

A product and a sum forward, and twice that backward: by the weights and by the inputs.
"""


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

    The one place that translates an experiment to arrays. An epoch is cut into pieces of some
    steps, one call of the kernel each; the records are of one epoch, and the next overwrites them.

    Parameters
    ----------
    experiment : Experiment
    images : numpy.ndarray
        (count, features), of the experiment's dtype.
    targets : numpy.ndarray
        (count,) int64, classes; or (count, outputs) of the experiment's dtype, values.
    outputs : int
        Outputs of the network.

    Attributes
    ----------
    network : Mlp
        The network as Python sees it.
    arrays, batches, descent, records
        The kernel's four arguments for a whole epoch: `arrays` is the network once more, as
        `initperf.kernels.train_epoch.Network`, on the same parameters.
    histograms : Histograms
        Those of the last epoch, of the steps that the experiment names.
    steps, piece : int
        Steps of an epoch, and of one call of the kernel.
    """

    def __init__(
        self,
        experiment: Experiment,
        images: np.ndarray,
        targets: np.ndarray,
        outputs: int = CLASSES,
    ) -> None:
        sizes = (images.shape[1], *experiment.hidden, outputs)
        self.network = network = Mlp(
            sizes, experiment.activation, experiment.dtype, experiment.backend, experiment.residual
        )
        self.experiment = experiment
        self.scheme = as_scheme(experiment.rule, experiment.biases)
        self.batch_size = min(experiment.batch_size, len(images))
        self.steps = -(-len(images) // self.batch_size)
        operations = _OPERATIONS * self.batch_size * len(network.parameters)
        self.piece = max(1, PIECE_OPERATIONS // operations)
        self.batches = Batches(images, targets, np.arange(len(images)), self.batch_size)
        self.arrays = network.arrays(self.batch_size)
        scheme, optimizer = self.scheme, experiment.optimizer
        rates = scheme.guarded(scheme.learning_rates, network, optimizer.name)
        start = Descent.start(optimizer, np.zeros((0, 0)), network.parameters)
        self.descent = start._replace(
            loss=LOSSES[experiment.loss],
            clip_norm=experiment.clip_norm or 0.0,
            clip_globally=experiment.clip == "global",
            layer_rates=np.array(rates),
        )
        recorded = {"step": self.steps, "epoch": 1, "none": 0}[experiment.record]
        self.records = Records.of(self.steps, network.depth, recorded)
        self.histograms = Histograms.none(self.steps)

    def initialize(self) -> None:
        """Set weights and biases; a scheme that looks at data sees the first images of epoch 0."""
        (images, labels), seed = self.batches[:2], self.experiment.seed
        chosen = batch_order(self.experiment, 0, len(images))[: self.scheme.images]
        self.network.initialize(self.scheme, seed, batch=images[chosen], labels=labels[chosen])

    def compilations(self) -> dict[tuple[str, bool], Callable[[], Any]]:
        """Return calls that compile what epochs and evaluations need, each a part of it."""
        wanted, depth = self.experiment.histogram_steps, self.network.depth
        histograms = Histograms.of(np.ones(self.steps, bool), depth) if wanted else None
        arguments = self.arrays, self.batches, self.descent
        evaluation = compilations(*arguments, Records.of(0, depth))
        return compilations(*arguments, self.records._replace(histograms=histograms)) | {
            part: evaluation[part] for part in (("hidden", False), ("linear", False))
        }

    def run(
        self,
        order: np.ndarray,
        first: int,
        rates: np.ndarray,
        pause: Callable[[], object] = lambda: None,
    ) -> tuple[int, int]:
        """Train for an epoch, in pieces between which Python can act on signals.

        Compiled code cannot be interrupted; where the steps are cut makes no difference to a bit,
        as the network, the optimizer's memories and the records are in arrays.

        Parameters
        ----------
        order : numpy.ndarray
            (images,) int64, the order in which the images are taken.
        first : int
            Steps before this epoch.
        rates : numpy.ndarray
            (steps,) float64, learning rates.
        pause : callable, optional
            Called before each piece; what it raises ends the epoch.

        Returns
        -------
        tuple of int
            Steps done, and the layer that diverged in the next one, from 0.
        """
        numbers = np.arange(first + 1, first + self.steps + 1)
        wanted = np.isin(numbers, self.experiment.histogram_steps)
        self.histograms = Histograms.of(wanted, self.network.depth)
        factors = self.experiment.optimizer.factors(rates, first)
        factors = factors.astype(self.arrays.parameters.dtype)
        train = KERNELS["train_epoch"][self.network.backend]
        for begin in range(0, self.steps, self.piece):
            end = min(begin + self.piece, self.steps)
            pause()
            done, layer = train(
                self.arrays,
                self.batches._replace(order=order[begin * self.batch_size : end * self.batch_size]),
                self.descent._replace(factors=factors[begin:end]),
                self._records(begin, end, bool(wanted.any())),
            )
            if done < end - begin:
                return begin + done, layer
        return self.steps, 0

    def _records(self, begin: int, end: int, histograms: bool) -> Records:
        """Return views of the records of the steps of a piece, from `begin` to before `end`."""
        unrecorded = self.steps - len(self.records.statistics)  # statistics are of the last steps
        return Records(
            self.records.losses[begin:end],
            self.records.scores[begin:end],
            self.records.statistics[max(0, begin - unrecorded) : max(0, end - unrecorded)],
            self.histograms._replace(rows=self.histograms.rows[begin:end]) if histograms else None,
        )

    def scores(self) -> np.ndarray:
        """Return the score of each step's batch: accuracy, or R².

        R² of a batch is about the means of all training targets, as those of a small batch are
        near its values: 1 less the mean squared error by the variance of the training targets.
        """
        sizes = np.full(self.steps, self.batch_size)
        sizes[-1] = len(self.batches.images) - self.batch_size * (self.steps - 1)
        scores: np.ndarray = self.records.scores / sizes
        if isinstance(self.descent.loss, PointwiseLoss):
            scores = 1.0 - scores / self.batches.targets.var(axis=0, dtype=np.float64).sum()
        return scores


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
        unrecorded = epochs.steps - len(statistics)  # before the first step with statistics
        for name, values in {
            "step": epoch * epochs.steps + np.arange(1, epochs.steps + 1),
            "epoch": np.full(epochs.steps, epoch + 1),
            "loss": epochs.records.losses,
            epochs.descent.loss.score: epochs.scores(),
            "learning_rate": rates,
        }.items():
            self.parts.setdefault(name, []).append(values[unrecorded:done].copy())
        recorded = statistics[: max(0, done - unrecorded)].copy()
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
