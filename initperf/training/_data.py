"""Data of experiments: loaded as their loss takes targets, and checked against it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from initperf import data
from initperf.errors import UnsuitableError, UsageError
from initperf.losses import LOSSES, PointwiseLoss
from initperf.training.experiment import Experiment


@dataclass(frozen=True, eq=False)
class Arrays:
    """What networks of one dtype are trained and tested on.

    Attributes
    ----------
    images, test_images : numpy.ndarray
        (count, features), of the dtype.
    targets, test_targets : numpy.ndarray
        (count,) int64, classes; or (count, outputs) of the dtype, values.
    """

    images: np.ndarray
    targets: np.ndarray
    test_images: np.ndarray
    test_targets: np.ndarray

    @classmethod
    def of(cls, dataset: data.Dataset, dtype: str) -> "Arrays":
        """Return those of a data set for networks of a dtype."""
        return cls(
            dataset.features("train", dtype),
            dataset.targets("train", dtype),
            dataset.features("test", dtype),
            dataset.targets("test", dtype),
        )


def load_data(
    experiment: Experiment, directory: str | os.PathLike[str] | None = None
) -> data.Dataset:
    """Load the data of an experiment, with values as targets where its loss is of values.

    Parameters
    ----------
    experiment : Experiment
    directory : path, optional
        See `initperf.data.load`.

    Raises
    ------
    initperf.errors.DataError
        As `initperf.data.load`.
    """
    return data.load(experiment.dataset, directory, values=_of_values(experiment))


def load_all(
    experiments: Iterable[Experiment], directory: str | os.PathLike[str] | None = None
) -> dict[str, data.Dataset]:
    """Load the data of several experiments, each set once, by name.

    Parameters
    ----------
    experiments : iterable of Experiment
    directory : path, optional
        See `initperf.data.load`.

    Raises
    ------
    initperf.errors.DataError
        As `initperf.data.load`.
    initperf.errors.UsageError
        When one data set has to serve both kinds of losses.
    """
    first: dict[str, Experiment] = {}
    for one in experiments:
        other = first.setdefault(one.dataset, one)
        if _of_values(other) != _of_values(one):
            raise UsageError(
                f"{other.loss} and {one.loss} take the targets of {one.dataset} differently: "
                "make a sweep for each"
            )
    return {name: load_data(one, directory) for name, one in first.items()}


def check_targets(experiment: Experiment, dataset: data.Dataset) -> None:
    """Check that the loss of an experiment is of the targets of a data set.

    Parameters
    ----------
    experiment : Experiment
    dataset : initperf.data.Dataset

    Raises
    ------
    UnsuitableError
        For a loss of values and classes, and the other way round.
    """
    if _of_values(experiment) == (dataset.classes == 0):
        return
    if dataset.classes:
        raise UnsuitableError(
            f"loss={experiment.loss} predicts values, and {dataset.name} has "
            f"{dataset.classes} classes: give floats as targets, or loss=softmax_cross_entropy"
        )
    raise UnsuitableError(
        f"loss={experiment.loss} tells classes apart, and {dataset.name} has values as targets: "
        "give integers or words, or loss=squared_error"
    )


def _of_values(experiment: Experiment) -> bool:
    return isinstance(LOSSES[experiment.loss], PointwiseLoss)
