"""Training of an experiment: the run, with its series, statistics and times."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from initperf import data
from initperf._core.progress import Progress, silent
from initperf.errors import UnsuitableError
from initperf.jit.blas import blas_threads
from initperf.kernels.philox import STREAM_VERSION
from initperf.training._data import Arrays, check_targets, load_data
from initperf.training._definitions import definition
from initperf.training._epochs import Epochs, HistogramRecords, StepRecords, batch_order
from initperf.training._precompile import compiling
from initperf.training._warm_up import warm_up
from initperf.training.experiment import Experiment
from initperf.training.phases import phase
from initperf.training.run import Run

TRAINING_VERSION = 2
"""Version of the results of training; it grows when a change would alter stored runs."""


def run_name(experiment: Experiment, digest: str) -> str:
    """Return the name of the run of an experiment on the data of a digest.

    Parameters
    ----------
    experiment : Experiment
    digest : str
        Of the data set.

    Returns
    -------
    str
        It changes with the definition of what the experiment names: a rule that is registered
        anew with other parameters or code gives another name.
    """
    return experiment.name(digest, STREAM_VERSION, TRAINING_VERSION, definition(experiment))


def _prepared(experiment: Experiment) -> float:
    """Compile on all processors, load, and return the seconds that both took."""
    begin = time.perf_counter()
    with compiling([experiment], joining=True) as finish:
        finish()
    warm_up(experiment)
    return time.perf_counter() - begin


def train(
    experiment: Experiment,
    *,
    dataset: data.Dataset | None = None,
    threads: int | None = 1,
    progress: Progress = silent,
    pause: Callable[[], object] = lambda: None,
) -> Run:
    """Train the network of an experiment.

    Parameters
    ----------
    experiment : Experiment
    dataset : initperf.data.Dataset, optional
        The data; by default loaded by the experiment's name of them.
    threads : int, optional
        Threads of BLAS: with 1, the same experiment gives the same run to the bit. More make
        steps of wide networks faster; steps of narrow ones may be slower with several threads
        where processors share no cache, as on some virtual machines. None leaves the setting of
        the process.
    progress : callable, optional
        Called with (epochs done, epochs in all, "epochs").
    pause : callable, optional
        Called about every 0.1 s between steps, and between phases; what it raises ends the
        training.

    Returns
    -------
    Run
        Its ``status`` is ``"diverged"`` when a magnitude reached 2⁵⁶, in float64 2⁵⁰⁴, or was not
        finite; it holds what was recorded until then.

    Raises
    ------
    TypeError
        For another object as experiment or data set.
    initperf.errors.DataError
        When the data cannot be loaded.
    ValueError
        When a scheme that looks at data cannot be applied to them, a histogram is asked for after
        the last step, or the loss is not of the data's targets.

    Notes
    -----
    The seed gives each layer a random stream for its weights, and with the epoch the order of the
    images: experiments that differ only in initializer or activation see the same batches.
    """
    if not isinstance(experiment, Experiment):
        raise TypeError(f"experiment must be an Experiment, not {experiment!r}")
    if not isinstance(dataset, data.Dataset | None):
        raise TypeError(f"dataset must be a Dataset, as of initperf.data.load, not {dataset!r}")
    with phase("data"):
        if dataset is None:
            dataset = load_data(experiment)
        check_targets(experiment, dataset)
    return train_on(
        dataset,
        partial(Arrays.of, dataset, experiment.dtype),
        experiment,
        threads=threads,
        progress=progress,
        pause=pause,
    )


def train_on(
    dataset: data.Dataset,
    arrays: Callable[[], Arrays],
    experiment: Experiment,
    *,
    threads: int | None = 1,
    progress: Progress = silent,
    pause: Callable[[], object] = lambda: None,
) -> Run:
    """Train the network of an experiment on arrays that several runs may share.

    Parameters
    ----------
    dataset : initperf.data.Dataset
        The data, which suit the experiment.
    arrays : callable
        Returns its arrays of the experiment's dtype, which are only read.
    experiment, threads, progress, pause
        As of `train`, whose result and errors these are too.
    """
    with phase("compile or load"):
        compile_seconds = _prepared(experiment) if experiment.backend == "numba" else 0.0
    with phase("data"):
        taken = arrays()
    images, test = taken.images, (taken.test_images, taken.test_targets)
    epochs = Epochs(experiment, images, taken.targets, dataset.outputs)
    network, loss = epochs.network, epochs.descent.loss
    last = experiment.epochs * epochs.steps
    if max(experiment.histogram_steps, default=0) > last:
        raise UnsuitableError(
            f"histogram_steps must be steps of the run, of which there are {last}, not "
            f"{max(experiment.histogram_steps)}"
        )
    records, histograms = StepRecords(network.depth), HistogramRecords()
    diverged_step = diverged_layer = None
    train_seconds = 0.0
    with blas_threads(threads):
        with phase("draw"):
            pause()
            epochs.initialize()
            pause()
        with phase("evaluation"):
            scores = [network.evaluate(*test, loss)]
        for epoch in range(experiment.epochs):
            order = batch_order(experiment, epoch, len(images))
            first = epoch * epochs.steps
            rates = experiment.schedule.rates(
                experiment.learning_rate, first, epochs.steps, experiment.epochs * epochs.steps
            )
            begin = time.perf_counter()
            with phase("steps"):
                done, layer = epochs.run(order, first, rates, pause)
            train_seconds += time.perf_counter() - begin
            records.keep(epochs, epoch, done, rates)
            histograms.keep(epochs, first, done)
            if done < epochs.steps:
                diverged_step, diverged_layer = first + done + 1, layer + 1
                break
            with phase("evaluation"):
                scores.append(network.evaluate(*test, loss))
            progress(epoch + 1, experiment.epochs, "epochs")

    step_columns, layer_columns = records.columns()
    losses, test_scores = np.array(scores).T
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
        test_accuracy=float(test_scores[-1]) if loss.score == "accuracy" else float("nan"),
        test_r2=float(test_scores[-1]) if loss.score == "r2" else None,
        train_seconds=train_seconds,
        compile_seconds=compile_seconds,
        step_columns=step_columns,
        layer_columns=layer_columns,
        epoch_columns={
            "epoch": np.arange(len(scores)),
            "test_loss": np.where(np.isfinite(losses), losses, np.nan),
            f"test_{loss.score}": test_scores,
        },
        histogram_columns=histograms.columns(),
    )
