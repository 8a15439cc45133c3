"""Training runs of claims: on the 5,000 images of MNIST that are the same everywhere."""

import functools

import numpy as np

from initperf import data
from initperf.schemes import Scheme
from initperf.training._epochs import Epochs, batch_order
from initperf.training.experiment import Experiment
from initperf.training.train import train


@functools.cache
def images() -> data.Dataset:
    """Return the images."""
    return data.load("mnist_5k")


def accuracy(experiment: Experiment) -> float:
    """Train without records and return the test accuracy: of a diverged run, the last before."""
    return train(experiment.replace(record="none"), dataset=images(), threads=None).test_accuracy


def thirty_layers(initializer: str, seed: int, epochs: int) -> float:
    """Return the test accuracy of 30 ReLU layers of 100 units, at a rate of 0.01.

    Parameters
    ----------
    initializer : str
    seed, epochs : int
    """
    return accuracy(
        Experiment(
            initializer,
            "relu",
            hidden=(100,) * 30,
            learning_rate=0.01,
            epochs=epochs,
            batch_size=64,
            seed=seed,
        )
    )


def loss(experiment: Experiment) -> float:
    """Train without records and return the test loss; infinite where the run diverged."""
    run = train(experiment.replace(record="none"), dataset=images(), threads=None)
    return float(run.epoch_columns["test_loss"][-1]) if run.status == "finished" else float("inf")


def started(experiment: Experiment, scheme: Scheme | None = None) -> Epochs:
    """Return the training of an experiment before its first step.

    Parameters
    ----------
    experiment : Experiment
    scheme : Scheme, optional
        A rule that is not registered, which sets the weights instead of the experiment's.
    """
    found = images()
    epochs = Epochs(experiment, found.features("train", "float32"), found.train_labels.copy())
    epochs.initialize()
    if scheme is not None:
        epochs.network.initialize(scheme, experiment.seed)
    return epochs


def run_epochs(epochs: Epochs, order_seed: int | None = None) -> None:
    """Train for all epochs of the experiment, at its constant rate.

    Parameters
    ----------
    epochs : Epochs
        Not begun.
    order_seed : int, optional
        Seed of the order of the batches; by default the experiment's.
    """
    experiment = epochs.experiment
    orders = experiment if order_seed is None else experiment.replace(seed=order_seed)
    rates = np.full(epochs.steps, experiment.learning_rate)
    for epoch in range(experiment.epochs):
        order = batch_order(orders, epoch, len(epochs.batches.images))
        done, _ = epochs.run(order, epoch * epochs.steps, rates)
        if done < epochs.steps:
            return


def tested(epochs: Epochs) -> float:
    """Return the accuracy on the test images."""
    found = images()
    score = epochs.network.evaluate(found.features("test", "float32"), found.test_labels.copy())
    return score[1]
