"""Cache of parsed data: compact files, used only if they hold the very data that is expected."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from initperf._core.storage import cache_directory, replacing
from initperf.data._catalogue import Parts
from initperf.data._dataset import PARTS, fingerprint

_LARGEST_BYTES = 64 * 2**20  # of a file's arrays; 70,000 images have 55 million pixels


def directory() -> Path | None:
    """Return the cache directory of data, or None where none can be written."""
    try:
        return cache_directory("data")
    except OSError:
        return None


def remembered(key: str, expected: str, parse: Callable[[], Parts]) -> Parts:
    """Return the arrays that `parse` returns, from the cache if they are there and right.

    A file says nothing about itself: its arrays are compared with the digest that the caller
    knows. Nothing is written when `parse` raises, or returns other arrays. Where the cache cannot
    be written (a full disk), data is parsed each time.

    Parameters
    ----------
    key : str
        The file's name without suffix; different data must have different keys.
    expected : str
        The fingerprint of the arrays.
    parse : callable
        Returns the four arrays.
    """
    cache = directory()
    parts = _read(cache / f"{key}.npz", expected) if cache else None
    if parts is None:
        parts = parse()
        if cache and fingerprint(parts) == expected:
            _write(cache / f"{key}.npz", parts)
    return parts


def _read(path: Path, expected: str) -> Parts | None:
    try:
        if not path.is_file():  # opening a pipe would wait
            return None
        with zipfile.ZipFile(path) as members:
            if sum(member.file_size for member in members.infolist()) > _LARGEST_BYTES:
                return None
        with np.load(path, allow_pickle=False) as archive:
            parts = {part: archive[part] for part in PARTS}
            return parts if fingerprint(parts) == expected else None
    except Exception:
        # A damaged archive raises errors of many types, depending on its first damaged field:
        # BadZipFile, KeyError, NotImplementedError, RuntimeError, zlib.error. It is rebuilt.
        return None


def _write(path: Path, parts: Parts) -> None:
    try:
        with replacing(path, cached=True) as temporary:
            arrays: dict[str, Any] = dict(parts)
            np.savez_compressed(temporary, **arrays)
    except OSError:
        return
