"""Data sets in the cache of scikit-learn's ``fetch_openml``.

The files are read here, not by ``fetch_openml``, because that deletes and downloads a missing or
damaged file again, and loading must not use the network.
"""

import gzip
import hashlib
import io
import json
import os
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

import numpy as np

from initperf.data import _cache
from initperf.data._catalogue import Parts, Spec, recognise
from initperf.data._dataset import CLASSES, joint_digest
from initperf.data._idx import PIXELS
from initperf.errors import DataError

# Errors of reading, decompressing or parsing a damaged file.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
    MemoryError,
    Warning,
    zlib.error,
)
_MOST_DESCRIPTION = 1 << 22
_MOST_TABLE = 1 << 29
"""Bytes of a description and of a table, decompressed, that are read: four times MNIST's."""


_CHUNK = 1 << 20
_ADVICE = "delete it to go without"


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
    home = os.path.expanduser(os.environ.get("SCIKIT_LEARN_DATA") or "~/scikit_learn_data")
    root = Path(home) / "openml" / "openml.org"
    described = root / f"api/v1/json/data/{spec.openml}.gz"
    if spec.openml is None or not described.is_file():
        return None
    try:
        with gzip.open(described) as file:
            description = json.loads(_limited(file, _MOST_DESCRIPTION))["data_set_description"]
        # Old releases of scikit-learn name the file by its number, new ones by its address.
        names = [urlparse(description["url"]).path, f"data/v1/download/{description['file_id']}"]
        md5 = description["md5_checksum"]
    except _DAMAGE as error:
        raise DataError(f"{described}: damaged: {_reason(error)}; {_ADVICE}") from error
    paths = [root / f"{name.lstrip('/')}.gz" for name in names]
    return next((CachedTable(path, md5) for path in paths if path.is_file()), None)


def read(table: CachedTable, spec: Spec) -> Parts:
    """Return the table's four arrays, parsed once and cached if they are the published ones.

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
    expected = joint_digest({part: file.sha256 for part, file in spec.published.items()})
    key = f"openml-{spec.openml}-{compressed[:16]}"
    return _cache.remembered(key, expected, lambda: _parse(table, spec))


def _parse(described: CachedTable, spec: Spec) -> Parts:
    path = described.path
    train, test = spec.published["train_images"].count, spec.published["test_images"].count
    try:
        with gzip.open(path) as file:
            content = _limited(file, _MOST_TABLE)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if md5 != described.md5:
            raise ValueError(f"md5 {md5}, OpenML states {described.md5}")
        lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
        labels_at = _attributes(lines).index("class")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a table without rows
            table = np.loadtxt(lines, np.uint8, comments="%", delimiter=",", quotechar="'", ndmin=2)
    except _DAMAGE as error:
        raise DataError(f"{path}: damaged: {_reason(error)}; {_ADVICE}") from error
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


def _limited(file: gzip.GzipFile, most: int) -> bytes:
    """Return a file's content, decompressed; raise ValueError for more than `most` bytes."""
    chunks, left = [], most
    while chunk := file.read(_CHUNK):
        chunks.append(chunk)
        left -= len(chunk)
        if left < 0:
            raise ValueError(f"more than {most:,} bytes")
    return b"".join(chunks)


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _attributes(lines: Iterator[str]) -> list[str]:
    names = []
    for line in lines:
        keyword, _, rest = line.strip().partition(" ")
        if keyword.lower() == "@attribute":
            names.append(rest.split()[0].strip("'\""))
        elif keyword.lower() == "@data":
            break
    return names
