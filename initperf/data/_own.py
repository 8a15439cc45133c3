"""Data of one's own: rows of features with classes or with values to predict.

Rows are split into a training and a test set, class by class where there are classes, the same way
each time, unless the split is given.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from initperf._core.arguments import choice, number, whole
from initperf._core.arrays import as_dtype
from initperf.data._dataset import PARTS, Dataset
from initperf.errors import DataError

_TEST_SHARE = 0.2


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


def from_arrays(
    inputs: ArrayLike,
    targets: ArrayLike,
    test_inputs: ArrayLike | None = None,
    test_targets: ArrayLike | None = None,
    *,
    name: str = "own",
    standardised: bool = True,
    test_share: float = _TEST_SHARE,
) -> OwnDataset:
    """Make a data set of arrays, for ``train(experiment, dataset=...)`` and sweeps.

    Parameters
    ----------
    inputs : array_like, shape (count, ...)
        Finite numbers; each row is flattened.
    targets : array_like, shape (count,) or (count, outputs)
        Integers or words: each different one is a class. Or floats: values, which losses such as
        ``"squared_error"`` predict.
    test_inputs, test_targets : array_like, optional
        The test set. By default a share of the rows is taken for it, of each class if there are
        classes, the same rows each time.
    name : str
        Name of the data in results.
    standardised : bool
        Whether each column of features, and of values, is standardised by the training set.
    test_share : float
        Share of the rows that are taken for the test set.

    Returns
    -------
    OwnDataset

    Raises
    ------
    DataError
        When rows and targets do not pair, a number is not finite, there are fewer than two
        classes, or all values of an output are equal.
    ValueError
        For a share that is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from initperf.data import from_arrays
    >>> rows = np.random.default_rng(0).normal(size=(50, 3))
    >>> from_arrays(rows, rows[:, 0] > 0.0).classes, from_arrays(rows, rows[:, 0]).classes
    (2, 0)
    """
    number("test_share", test_share, 1.0, positive=True)
    if (test_inputs is None) != (test_targets is None):
        raise DataError(f"{name}: test inputs and test targets come together")
    rows, wanted = _rows(name, inputs), np.asarray(targets)
    of_values = wanted.dtype.kind == "f"
    checked = _values if of_values else _classes
    wanted = checked(name, wanted, len(rows))
    parts: list[Any]
    if test_inputs is None:
        test = _test_rows(np.zeros(len(rows)) if of_values else wanted, test_share)
        parts = [rows[~test], wanted[~test], rows[test], wanted[test]]
    else:
        other = _rows(name, test_inputs)
        parts = [rows, wanted, other, checked(name, np.asarray(test_targets), len(other))]
    if of_values:
        _check_spread(name, parts[1])
    names = () if of_values else _numbered(name, parts)
    return OwnDataset(
        parts[0],
        parts[1],
        parts[2],
        parts[3],
        name,
        "arrays of one's own",
        standardised=standardised,
        class_names=names,
    )


def _rows(name: str, inputs: ArrayLike) -> NDArray[np.float64]:
    try:
        rows = np.asarray(inputs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: features must be numbers: {error}") from None
    if rows.ndim < 2 or not rows.size:
        raise DataError(f"{name}: features of shape {rows.shape}, expected (count, features)")
    if not np.isfinite(rows).all():
        raise DataError(f"{name}: features must be finite, and some are missing or infinite")
    return rows.reshape(len(rows), -1)


def _classes(name: str, targets: NDArray[Any], count: int) -> NDArray[Any]:
    if targets.ndim != 1 or targets.dtype.kind not in "biuUS":
        found = f"{targets.dtype} targets of shape {targets.shape}"
        raise DataError(
            f"{name}: {found}, expected integers or words of shape (count,), or floats to predict"
        )
    return _paired(name, targets, count)


def _values(name: str, targets: NDArray[Any], count: int) -> NDArray[np.float64]:
    if targets.ndim not in (1, 2) or targets.dtype.kind != "f" or 0 in targets.shape[1:]:
        found = f"{targets.dtype} targets of shape {targets.shape}"
        raise DataError(f"{name}: {found}, expected floats of shape (count,) or (count, outputs)")
    if not np.isfinite(targets).all():
        raise DataError(f"{name}: targets must be finite, and some are missing or infinite")
    return _paired(name, targets.astype(np.float64).reshape(len(targets), -1), count)


def _check_spread(name: str, values: NDArray[np.float64]) -> None:
    """Check that the values of each output differ, by a standard deviation that is finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = values.std(axis=0)
    if not ((values.max(axis=0) > values.min(axis=0)) & np.isfinite(spread)).all():
        raise DataError(
            f"{name}: targets of the training set are all equal, or too large for their variance"
        )


def _paired(name: str, targets: NDArray[Any], count: int) -> NDArray[Any]:
    if len(targets) != count:
        raise DataError(f"{name}: {count:,} rows but {len(targets):,} targets")
    return targets


def _numbered(name: str, parts: list[NDArray[Any]]) -> tuple[str, ...]:
    """Put numbers for the classes of both sets, in place; return their names in order."""
    names = np.unique(np.concatenate([parts[1], parts[3]]))
    if len(names) < 2:
        raise DataError(f"{name}: {len(names)} class, expected at least two")
    for at in (1, 3):
        parts[at] = np.searchsorted(names, parts[at]).astype(np.int64)
    return tuple(map(str, names))


def _test_rows(labels: NDArray[Any], share: float) -> NDArray[np.bool_]:
    """Choose the same share of each class, at least one row of a class that has two."""
    test = np.zeros(len(labels), bool)
    rng = np.random.default_rng(0)
    for one in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == one))
        test[rows[: min(max(1, round(share * len(rows))), len(rows) - 1)]] = True
    return test
