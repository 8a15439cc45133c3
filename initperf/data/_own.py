"""Data of one's own: arrays, NumPy's ``.npz`` files and tables in CSV, of any features and classes.

A file is split into a training and a test set class by class, the same way each time, unless it
says the split itself.
"""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from initperf._core.arguments import choice, number, shown, whole
from initperf._core.arrays import as_dtype
from initperf.data._dataset import PARTS, Dataset
from initperf.errors import DataError

SUFFIXES = (".npz", ".csv")
"""Endings of file names that are data sets of one's own."""

_TEST_SHARE = 0.2
_TARGET = "#"


@dataclass(frozen=True, eq=False, repr=False)
class OwnDataset(Dataset):
    """Labelled rows of features, split into a training and a test set.

    Parameters
    ----------
    train_images, test_images : ndarray of float64, shape (count, features)
        Features.
    train_labels, test_labels : ndarray of int64, shape (count,)
        Classes, from 0.
    standardised : bool
        Whether `features` subtracts the mean of each column of the training set and divides by its
        standard deviation.
    class_names : tuple of str
        What the classes are called in the data.

    Raises
    ------
    DataError
        When an array has the wrong shape or values, or rows and labels don't pair.
    """

    standardised: bool = field(default=True, kw_only=True)
    class_names: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            rows, labels = getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")
            where = f"{self.name}, {split} set"
            if len(rows) != len(labels):
                raise DataError(f"{where}: {len(rows):,} rows but {len(labels):,} labels")
            if not len(rows):
                raise DataError(f"{where}: no rows, expected at least one")
            for name, array in ((f"{split}_images", rows), (f"{split}_labels", labels)):
                owned = np.array(array, order="C")
                owned.flags.writeable = False
                object.__setattr__(self, name, owned)
        if self.train_images.shape[1] != self.test_images.shape[1]:
            raise DataError(f"{self.name}: training and test set differ in their features")

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.class_names)

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that identify these features and labels, in this order."""
        found = hashlib.sha256(f"{self.standardised} {self.class_names!r}".encode())
        for part in PARTS:
            array = getattr(self, part)
            found.update(f"{array.dtype.str} {array.shape}".encode())
            found.update(array.tobytes())
        return found.hexdigest()[:16]

    @property
    def stamp(self) -> str:
        """Name, size and digest in one line, for results computed from the data."""
        counts = f"{len(self.train_labels):,} + {len(self.test_labels):,} rows"
        return f"{self.name}, {counts}, sha256 {self.digest}…"

    @cached_property
    def mean(self) -> float:
        """The mean of all features of the training set."""
        return float(self.train_images.mean())

    @cached_property
    def std(self) -> float:
        """The standard deviation of all features of the training set."""
        return float(self.train_images.std())

    def features(
        self, split: str = "train", dtype: DTypeLike = "float32", count: int | None = None
    ) -> NDArray[np.floating]:
        """Return the inputs of a network: each column standardised by the training set.

        A column of one value becomes 0; without `standardised` the features stay as they are.

        Parameters
        ----------
        split : {"train", "test"}
            The set.
        dtype : {"float32", "float64"}
            Dtype of the features.
        count : int, optional
            Only the first `count` rows; all by default.

        Returns
        -------
        ndarray, shape (count, features)
            New, contiguous and writable.

        Raises
        ------
        ValueError
            For another split or dtype, or a count that is no integer or too large.
        """
        choice("split", split, ("train", "test"))
        kind = as_dtype(dtype)
        rows = self.train_images if split == "train" else self.test_images
        if count is not None and whole("count", count, 0) > len(rows):
            raise ValueError(
                f"count must be at most {len(rows)}, the size of the {split} set, not {count}"
            )
        if not self.standardised:
            return rows[:count].astype(kind)
        centre, spread = self.train_images.mean(axis=0), self.train_images.std(axis=0)
        scale = np.where(spread > 0.0, spread, 1.0)
        return np.ascontiguousarray(((rows[:count] - centre) / scale).astype(kind))


def from_arrays(
    images: ArrayLike,
    labels: ArrayLike,
    test_images: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    *,
    name: str = "own",
    standardised: bool = True,
    test_share: float = _TEST_SHARE,
) -> OwnDataset:
    """Make a data set of arrays, for ``train(experiment, dataset=...)`` and sweeps.

    Parameters
    ----------
    images : array_like, shape (count, ...)
        Finite numbers; each row is flattened.
    labels : array_like, shape (count,)
        Classes: integers or words; each different one is a class.
    test_images, test_labels : array_like, optional
        The test set. By default a share of each class of the rows is taken for it, the same rows
        each time.
    name : str
        Name of the data in results.
    standardised : bool
        Whether each column is standardised by the training set.
    test_share : float
        Share of the rows that are taken for the test set.

    Returns
    -------
    OwnDataset

    Raises
    ------
    DataError
        When rows and labels do not pair, a value is not finite, or there are fewer than two
        classes.
    ValueError
        For a share that is not between 0 and 1.
    """
    number("test_share", test_share, 1.0, positive=True)
    rows, classes = _rows(name, images), np.asarray(labels)
    _check_labels(name, classes, len(rows))
    if (test_images is None) != (test_labels is None):
        raise DataError(f"{name}: test images and test labels come together")
    if test_images is None:
        test = _test_rows(classes, test_share)
        parts: tuple[Any, ...] = (rows[~test], classes[~test], rows[test], classes[test])
    else:
        other = np.asarray(test_labels)
        parts = rows, classes, _rows(name, test_images), other
        _check_labels(name, other, len(parts[2]))
    names = np.unique(classes if test_images is None else np.concatenate([parts[1], parts[3]]))
    if len(names) < 2:
        raise DataError(f"{name}: {len(names)} class, expected at least two")
    return OwnDataset(
        parts[0],
        np.searchsorted(names, parts[1]).astype(np.int64),
        parts[2],
        np.searchsorted(names, parts[3]).astype(np.int64),
        name,
        "arrays of one's own",
        standardised=standardised,
        class_names=tuple(map(str, names)),
    )


def _rows(name: str, images: ArrayLike) -> NDArray[np.float64]:
    try:
        rows = np.asarray(images, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: features must be numbers: {error}") from None
    if rows.ndim < 2 or not rows.size:
        raise DataError(f"{name}: features of shape {rows.shape}, expected (count, features)")
    if not np.isfinite(rows).all():
        raise DataError(f"{name}: features must be finite, and some are missing or infinite")
    return rows.reshape(len(rows), -1)


def _check_labels(name: str, labels: NDArray[Any], count: int) -> None:
    if labels.ndim != 1 or labels.dtype.kind not in "biuUS":
        found = f"{labels.dtype} labels of shape {labels.shape}"
        raise DataError(f"{name}: {found}, expected integers or words of shape (count,)")
    if len(labels) != count:
        raise DataError(f"{name}: {count:,} rows but {len(labels):,} labels")


def _test_rows(labels: NDArray[Any], share: float) -> NDArray[np.bool_]:
    """Choose the same share of each class, at least one row of a class that has two."""
    test = np.zeros(len(labels), bool)
    rng = np.random.default_rng(0)
    for one in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == one))
        test[rows[: min(max(1, round(share * len(rows))), len(rows) - 1)]] = True
    return test


def is_own(name: str) -> bool:
    """Return whether the name of a data set is that of a file of one's own."""
    return name.partition(_TARGET)[0].lower().endswith(SUFFIXES)


def from_file(name: str) -> OwnDataset:
    """Read a data set from a ``.npz`` or ``.csv`` file.

    Parameters
    ----------
    name : str
        Path of the file; for a table followed by ``#`` and the name of the column with the
        classes, the last one by default. A ``.npz`` file holds ``images`` and ``labels``, or
        ``X`` and ``y``, or ``train_images``, ``train_labels``, ``test_images`` and
        ``test_labels``.

    Returns
    -------
    OwnDataset

    Raises
    ------
    DataError
        When the file is missing, damaged or holds something else.
    """
    text, _, target = name.partition(_TARGET)
    path = Path(text).expanduser()
    if not path.is_file():
        raise DataError(f"{text}: no such file")
    if path.suffix.lower() == ".npz":
        return _from_archive(path, name)
    return _from_table(path, name, target)


def _from_archive(path: Path, name: str) -> OwnDataset:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:
        # a damaged archive raises errors of many types, depending on its first damaged field
        raise DataError(f"{path}: no readable archive of arrays: {error}") from None
    for keys in (tuple(PARTS), ("images", "labels"), ("X", "y")):
        if set(keys) <= set(arrays):
            return _kept(from_arrays(*(arrays[key] for key in keys), name=name), path)
    held = ", ".join(sorted(arrays)) or "nothing"
    raise DataError(
        f"{path}: expected images and labels, or X and y, or {', '.join(PARTS)}; it holds {held}"
    )


def _from_table(path: Path, name: str, target: str) -> OwnDataset:
    import pandas

    try:
        table = pandas.read_csv(path)
    except (OSError, ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{path}: no readable table: {' '.join(str(error).split())}") from None
    if len(table.columns) < 2:
        raise DataError(f"{path}: {len(table.columns)} column, expected features and a target")
    target = target or str(table.columns[-1])
    if target not in table.columns:
        there = ", ".join(map(str, table.columns[:20]))
        raise DataError(f"{path}: no column {shown(target)}; there are {there}")
    labels = table.pop(target)
    if labels.isna().any():
        raise DataError(f"{path}: column {target} has rows without a class")
    for column, values in table.items():
        if not pandas.api.types.is_numeric_dtype(values):
            raise DataError(f"{path}: column {column} holds words, and features must be numbers")
    classes = labels.to_numpy()
    if classes.dtype.kind == "f":
        if (classes % 1 != 0).any():
            raise DataError(
                f"{path}: column {target} holds {len(np.unique(classes)):,} different numbers, and "
                "classes must be integers or words"
            )
        classes = classes.astype(np.int64)
    elif classes.dtype.kind not in "biu":
        classes = np.array([str(one) for one in classes])
    return _kept(from_arrays(table.to_numpy(np.float64), classes, name=name), path)


def _kept(dataset: OwnDataset, path: Path) -> OwnDataset:
    object.__setattr__(dataset, "source", "a file of one's own")
    object.__setattr__(dataset, "location", os.fspath(path))
    return dataset
