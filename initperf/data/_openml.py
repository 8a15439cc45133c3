"""Data sets in the cache of scikit-learn's ``fetch_openml``.

The files are read here, not by ``fetch_openml``, because that deletes and downloads a missing or
damaged file again, and loading must not use the network.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

import numpy as np

from initperf.data import _cache
from initperf.data._catalogue import Parts, Spec, recognise
from initperf.data._dataset import CLASSES
from initperf.data._idx import PIXELS
from initperf.errors import DataError

# Errors of reading, decompressing or parsing a damaged file.
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zlib.error)


class CachedTable(NamedTuple):
    """A table in the cache, and the MD5 that OpenML states for it."""

    path: Path
    md5: str


def find(spec: Spec) -> CachedTable | None:
    """Return the data set's table in scikit-learn's cache, or None where it is not there.

    Raises
    ------
    DataError
        When OpenML's description of it is damaged.
    """
    home = Path(os.environ.get("SCIKIT_LEARN_DATA") or "~/scikit_learn_data").expanduser()
    root = home / "openml" / "openml.org"
    described = root / f"api/v1/json/data/{spec.openml}.gz"
    if spec.openml is None or not described.is_file():
        return None
    try:
        with gzip.open(described, "rt", encoding="utf-8") as file:
            description = json.load(file)["data_set_description"]
        # Old releases of scikit-learn name the file by its number, new ones by its address.
        names = [urlparse(description["url"]).path, f"data/v1/download/{description['file_id']}"]
        md5 = description["md5_checksum"]
    except _DAMAGE as error:
        raise DataError(f"{described}: damaged: {error}; delete it to go without") from error
    paths = [root / f"{name.lstrip('/')}.gz" for name in names]
    return next((CachedTable(path, md5) for path in paths if path.is_file()), None)


def read(table: CachedTable, spec: Spec) -> Parts:
    """Return the table's four arrays, parsed once and cached.

    OpenML has one table: the training set first, then the test set.

    Parameters
    ----------
    table : CachedTable
        As `find` returns it.
    spec : Spec
        The data set.

    Raises
    ------
    DataError
        When the table is damaged or of another data set.
    """
    try:
        with table.path.open("rb") as file:
            compressed = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{table.path}: cannot be read: {error.strerror or error}") from error
    return _cache.remembered(f"openml-{spec.openml}-{compressed[:16]}", lambda: _parse(table, spec))


def _parse(described: CachedTable, spec: Spec) -> Parts:
    path = described.path
    train, test = spec.published["train_images"].count, spec.published["test_images"].count
    try:
        with gzip.open(path) as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
        md5 = digest.hexdigest()
        if md5 != described.md5:
            raise ValueError(f"md5 {md5}, OpenML states {described.md5}")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            labels_at = _attributes(lines).index("class")
            table = np.loadtxt(lines, np.uint8, comments="%", delimiter=",", quotechar="'", ndmin=2)
    except _DAMAGE as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: damaged: {reason}; delete it to go without") from error
    expected = (train + test, PIXELS + 1)
    if table.shape != expected:
        raise DataError(f"{path}: a table of shape {table.shape}, expected {expected}")
    labels, images = table[:, labels_at], np.delete(table, labels_at, axis=1)
    if labels.max() >= CLASSES:
        raise DataError(f"{path}: label {labels.max()}, expected 0 to {CLASSES - 1}")
    parts = {
        "train_images": images[:train],
        "train_labels": labels[:train],
        "test_images": images[train:],
        "test_labels": labels[train:],
    }
    recognise(spec, parts, dict.fromkeys(parts, str(path)))  # before anything is cached
    return parts


def _attributes(lines: Iterator[str]) -> list[str]:
    names = []
    for line in lines:
        keyword, _, rest = line.strip().partition(" ")
        if keyword.lower() == "@attribute":
            names.append(rest.split()[0].strip("'\""))
        elif keyword.lower() == "@data":
            break
    return names
