"""Training of an experiment: the run, with its series, statistics and times."""

import time

import numpy as np

from initperf import data
from initperf._core.progress import Progress, silent
from initperf.initializers import INITIALIZERS
from initperf.jit.blas import blas_threads
from initperf.kernels.philox import STREAM_VERSION
from initperf.training._epochs import Epochs, HistogramRecords, StepRecords, batch_order
from initperf.training.experiment import Experiment
from initperf.training.phases import phase
from initperf.training.run import Run

TRAINING_VERSION = 2
"""Version of the results of training; it grows when a change would alter stored runs."""


def run_name(experiment: Experiment, digest: str) -> str:
    """Return the name of the run of an experiment on the data of a digest."""
    return experiment.name(digest, STREAM_VERSION, TRAINING_VERSION)


def warm_up(experiment: Experiment | None = None) -> float:
    """Compile, or load from the cache, what an experiment needs; return the seconds it took."""
    experiment = Experiment() if experiment is None else experiment
    begin = time.perf_counter()
    # schemes may not apply to so small a network; most of them draw from a normal distribution
    plain = experiment.initializer if experiment.initializer in INITIALIZERS else "normal"
    tiny = experiment.replace(initializer=plain, hidden=(2,), batch_size=2, residual=0)
    images, labels = np.ones((4, 2), tiny.dtype), np.zeros(4, np.int64)
    epochs = Epochs(tiny, images, labels)
    epochs.initialize()
    epochs.run(np.arange(4), 0, np.zeros(epochs.steps))
    epochs.network.evaluate(images, labels)
    return time.perf_counter() - begin


def train(
    experiment: Experiment,
    *,
    dataset: data.Dataset | None = None,
    threads: int | None = 1,
    progress: Progress = silent,
) -> Run:
    """Train the network of an experiment.

    Parameters
    ----------
    experiment : Experiment
    dataset : initperf.data.Dataset, optional
        The data; by default loaded by the experiment's name of them.
    threads : int, optional
        Threads of BLAS: with 1, the same experiment gives the same run to the bit. None leaves
        the setting of the process.
    progress : callable, optional
        Called with (epochs done, epochs in all, "epochs").

    Returns
    -------
    Run
        Its ``status`` is ``"diverged"`` when values became too large or not finite; it holds
        what was recorded until then.

    Raises
    ------
    initperf.errors.DataError
        When the data cannot be loaded.
    ValueError
        When a scheme that looks at data cannot be applied to them.

    Notes
    -----
    The seed gives each layer a random stream for its weights, and with the epoch the order of the
    images: experiments that differ only in initializer or activation see the same batches.
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
    epochs = Epochs(experiment, images, labels)
    network = epochs.network
    records, histograms = StepRecords(network.depth), HistogramRecords()
    diverged_step = diverged_layer = None
    train_seconds = 0.0
    with blas_threads(threads):
        with phase("draw"):
            epochs.initialize()
        with phase("evaluation"):
            scores = [network.evaluate(*test)]
        for epoch in range(experiment.epochs):
            order = batch_order(experiment, epoch, len(images))
            first = epoch * epochs.steps
            rates = experiment.schedule.rates(
                experiment.learning_rate, first, epochs.steps, experiment.epochs * epochs.steps
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
            progress(epoch + 1, experiment.epochs, "epochs")

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
