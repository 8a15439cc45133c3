"""Data sets of users: rows of features with classes or with values to predict."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from initperf._core.arguments import choice, whole
from initperf._core.arrays import as_dtype
from initperf.data._dataset import PARTS, Dataset
from initperf.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class OwnDataset(Dataset):
    """Rows of features with their targets, split into a training and a test set.

    Parameters
    ----------
    train_images, test_images : ndarray of float64, shape (count, features)
        Features.
    train_labels, test_labels : ndarray
        Targets: classes from 0, int64 of shape (count,), or values, float64 of shape
        (count, outputs).
    standardised : bool
        Whether `features`, and `targets` that are values, subtract the mean of each column of the
        training set and divide by its standard deviation.
    class_names : tuple of str
        What the classes are called in the data; empty where targets are values.

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
                raise DataError(f"{where}: {len(rows):,} rows but {len(labels):,} targets")
            if not len(rows):
                raise DataError(f"{where}: no rows, expected at least one")
            for name, array in ((f"{split}_images", rows), (f"{split}_labels", labels)):
                owned = np.array(array, order="C")
                owned.flags.writeable = False
                object.__setattr__(self, name, owned)
        if self.train_images.shape[1] != self.test_images.shape[1]:
            raise DataError(f"{self.name}: training and test set differ in their features")
        if self.train_labels.shape[1:] != self.test_labels.shape[1:]:
            raise DataError(f"{self.name}: training and test set differ in their targets")

    @property
    def classes(self) -> int:
        """The number of classes; 0 where targets are values."""
        return len(self.class_names)

    @property
    def outputs(self) -> int:
        """The number of outputs of a network: of classes, or of values of a row."""
        return self.classes or int(self.train_labels.shape[1])

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that identify these features and targets, in this order."""
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
        rows = self.train_images if split == "train" else self.test_images
        return self._scaled(rows, self.train_images, split, dtype, count)

    def targets(
        self, split: str = "train", dtype: DTypeLike = "float32", count: int | None = None
    ) -> NDArray[Any]:
        """Return what a network learns: classes, or values standardised by the training set.

        Parameters
        ----------
        split : {"train", "test"}
            The set.
        dtype : {"float32", "float64"}
            Dtype of values.
        count : int, optional
            Only of the first `count` rows; of all by default.

        Returns
        -------
        ndarray
            (count,) int64, or (count, outputs) of `dtype`: new, contiguous and writable.

        Raises
        ------
        ValueError
            As `features`.
        DataError
            For values that the dtype does not hold.
        """
        if self.classes:
            return super().targets(split, dtype, count)
        choice("split", split, ("train", "test"))
        rows = self.train_labels if split == "train" else self.test_labels
        with np.errstate(over="ignore"):
            values = self._scaled(rows, self.train_labels, split, dtype, count)
        if not np.isfinite(values).all():
            raise DataError(f"{self.name}: targets are too large for {values.dtype}")
        return values

    def _scaled(
        self,
        rows: NDArray[Any],
        training: NDArray[Any],
        split: str,
        dtype: DTypeLike,
        count: int | None,
    ) -> NDArray[np.floating]:
        """Return the first rows in a dtype, standardised by those of the training set if wanted."""
        kind = as_dtype(dtype)
        if count is not None and whole("count", count, 0) > len(rows):
            raise ValueError(
                f"count must be at most {len(rows)}, the size of the {split} set, not {count}"
            )
        if not self.standardised:
            return rows[:count].astype(kind)
        centre, spread = training.mean(axis=0), training.std(axis=0)
        scale = np.where(spread > 0.0, spread, 1.0)
        return np.ascontiguousarray(((rows[:count] - centre) / scale).astype(kind))
