"""Data sets of users from arrays.

Rows are split into a training and a test set, class by class where there are classes, the same way
each time, unless the split is given.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initperf._core.arguments import number
from initperf._core.arrays import as_numbers
from initperf.data._own import OwnDataset
from initperf.errors import DataError

_TEST_SHARE = 0.2


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
        classes, all values of an output are equal, or there are too few rows for a test set.
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
    if len(rows) and not (len(parts[0]) and len(parts[2])):
        of = "of the rows" if of_values else "of the rows of each class"
        raise DataError(
            f"{name}: {len(rows):,} rows are too few: {test_share:.0%} {of} are the test set "
            "unless one is given"
        )
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
        rows = as_numbers("features", inputs)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from None
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
