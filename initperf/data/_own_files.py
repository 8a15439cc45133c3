"""Files of one's own data: NumPy's ``.npz`` archives and tables in CSV."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initperf._core.arguments import shown
from initperf.data._dataset import PARTS
from initperf.data._own import OwnDataset
from initperf.data._own_arrays import from_arrays
from initperf.errors import DataError

SUFFIXES = (".npz", ".csv")
"""Endings of file names that are data sets of one's own."""

_TARGET = "#"


def is_own(name: str) -> bool:
    """Return whether the name of a data set is that of a file of one's own."""
    return name.partition(_TARGET)[0].lower().endswith(SUFFIXES)


def from_file(name: str, *, values: bool = False) -> OwnDataset:
    """Read a data set from a ``.npz`` or ``.csv`` file.

    Parameters
    ----------
    name : str
        Path of the file; for a table followed by ``#`` and the name of the column with the
        targets, the last one by default. A ``.npz`` file holds ``images`` and ``labels``, or
        ``X`` and ``y``, or ``train_images``, ``train_labels``, ``test_images`` and
        ``test_labels``.
    values : bool
        Whether targets are values to predict, also where they are integers.

    Returns
    -------
    OwnDataset

    Raises
    ------
    DataError
        When the file is missing, damaged or holds something else.
    """
    text, _, target = name.partition(_TARGET)
    path = Path(os.path.expanduser(text))  # Path's raises for an unknown user's home
    if not path.is_file():
        raise DataError(f"{text}: no such file")
    if path.suffix.lower() == ".npz":
        return _from_archive(path, name, values)
    return _from_table(path, name, target, values)


def _from_archive(path: Path, name: str, values: bool) -> OwnDataset:
    _check_archive(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:
        # a damaged archive raises errors of many types, depending on its first damaged field
        raise DataError(f"{path}: no readable archive of arrays: {error}") from None
    for keys in (tuple(PARTS), ("images", "labels"), ("X", "y")):
        if set(keys) <= set(arrays):
            given = [arrays[key] for key in keys]
            if values:
                given[1::2] = (_as_values(path, targets) for targets in given[1::2])
            return _kept(from_arrays(*given, name=name), path)
    held = ", ".join(sorted(arrays)) or "nothing"
    raise DataError(
        f"{path}: expected images and labels, or X and y, or {', '.join(PARTS)}; it holds {held}"
    )


def _check_archive(path: Path) -> None:
    """Check that a file begins as archives do: NumPy would take any other for pickled objects."""
    try:
        with path.open("rb") as file:
            begins = file.read(2)
    except OSError as error:
        raise DataError(f"{path}: no readable archive of arrays: {error}") from None
    if begins != b"PK":
        raise DataError(f"{path}: no readable archive of arrays: its content is not that of .npz")


def _as_values(path: Path, targets: NDArray[Any]) -> NDArray[Any]:
    """Return integers as floats; words, which are no values, raise DataError."""
    if targets.dtype.kind not in "biuf":
        raise DataError(f"{path}: targets must be numbers to be predicted as values")
    return targets if targets.dtype.kind == "f" else targets.astype(np.float64)


def _exactly(version: str) -> dict[str, Any]:
    """Return what lets a version of pandas read floats to the last bit; from 3.1 on it does so."""
    major, minor, *_ = version.split(".")
    return {} if (int(major), int(minor)) >= (3, 1) else {"float_precision": "round_trip"}


def _from_table(path: Path, name: str, target: str, values: bool) -> OwnDataset:
    import pandas

    try:
        table = pandas.read_csv(path, **_exactly(pandas.__version__))
    except (OSError, ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{path}: no readable table: {' '.join(str(error).split())}") from None
    if len(table.columns) < 2:
        raise DataError(f"{path}: {len(table.columns)} column, expected features and a target")
    target = target or str(table.columns[-1])
    if target not in table.columns:
        there = ", ".join(map(str, table.columns[:20]))
        raise DataError(f"{path}: no column {shown(target)}; there are {there}")
    if table.empty:
        raise DataError(f"{path}: the table has a header and no rows")
    column = table.pop(target)
    if column.isna().any():
        raise DataError(f"{path}: column {target} has rows without a target")
    for feature, numbers in table.items():
        if not pandas.api.types.is_numeric_dtype(numbers):
            raise DataError(f"{path}: column {feature} holds words, and features must be numbers")
    found = column.to_numpy()
    targets = _as_values(path, found) if values else _as_classes(path, target, found)
    return _kept(from_arrays(table.to_numpy(np.float64), targets, name=name), path)


def _as_classes(path: Path, target: str, found: NDArray[Any]) -> NDArray[Any]:
    """Return classes of a column of a table: integers, or words."""
    if found.dtype.kind == "f":
        if (found % 1 != 0).any():
            raise DataError(
                f"{path}: column {target} holds {len(np.unique(found)):,} different numbers, and "
                "classes must be integers or words; the loss squared_error predicts numbers"
            )
        return found.astype(np.int64)
    return found if found.dtype.kind in "biu" else np.array([str(one) for one in found])


def _kept(dataset: OwnDataset, path: Path) -> OwnDataset:
    object.__setattr__(dataset, "source", "a file of one's own")
    object.__setattr__(dataset, "location", os.fspath(path))
    return dataset
