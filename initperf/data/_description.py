"""Descriptions of data sets, as rows of a table."""

import os

import numpy as np

from initperf.data._catalogue import DATASETS
from initperf.data._dataset import CLASSES, PARTS, Dataset
from initperf.data._loading import load
from initperf.errors import DataError

Row = dict[str, str | int | float | list[int]]


def describe(dataset: Dataset) -> Row:
    """Return the identity and summary statistics of a data set.

    Parameters
    ----------
    dataset : Dataset
        As `load` returns it.

    Returns
    -------
    dict
        name, source, location, train_count, test_count, digest, train_per_class and
        test_per_class (ten counts each), mean and std (training pixels, scale 0 to 1) and
        published: the files that are, to the bit, those the authors published, in words.
    """
    every = len(dataset.published) == len(PARTS)
    return {
        "name": dataset.name,
        "source": dataset.source,
        "location": dataset.location,
        "train_count": len(dataset.train_labels),
        "test_count": len(dataset.test_labels),
        "digest": dataset.digest,
        "train_per_class": np.bincount(dataset.train_labels, minlength=CLASSES).tolist(),
        "test_per_class": np.bincount(dataset.test_labels, minlength=CLASSES).tolist(),
        "mean": dataset.mean,
        "std": dataset.std,
        "published": "all four files" if every else "; ".join(dataset.published),
    }


def available(directory: str | os.PathLike[str] | None = None) -> list[Row]:
    """Return a row for every data set by name, with an error for one that does not load.

    Parameters
    ----------
    directory : path, optional
        As for `load`.

    Returns
    -------
    list of dict
        The keys of `describe`; for one that does not load, ``name`` and, in one line, ``error``.
    """
    rows: list[Row] = []
    for name in DATASETS:
        try:
            rows.append(describe(load(name, directory)))
        except DataError as error:
            rows.append({"name": name, "error": str(error)})
    return rows
