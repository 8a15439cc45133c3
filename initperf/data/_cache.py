"""Cache of parsed data: compact files, used only if their fingerprint is right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from initperf._core.storage import cache_directory, replacing
from initperf.data._catalogue import Parts
from initperf.data._dataset import PARTS, fingerprint


def directory() -> Path | None:
    """Return the cache directory of data, or None where none can be written."""
    try:
        return cache_directory("data")
    except OSError:
        return None


def remembered(key: str, parse: Callable[[], Parts]) -> Parts:
    """Return the arrays that `parse` returns, from the cache if they are there and undamaged.

    Nothing is written when `parse` raises. Where the cache cannot be written (a full disk), data
    is parsed each time.

    Parameters
    ----------
    key : str
        The file's name without suffix; different data must have different keys.
    parse : callable
        Returns the four arrays.
    """
    kept = directory()
    parts = _read(kept / f"{key}.npz") if kept else None
    if parts is None:
        parts = parse()
        if kept:
            _write(kept / f"{key}.npz", parts)
    return parts


def _read(path: Path) -> Parts | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            parts = {part: archive[part] for part in PARTS}
            return parts if str(archive["fingerprint"]) == fingerprint(parts) else None
    except Exception:
        # A damaged archive raises errors of many types, depending on its first damaged field:
        # BadZipFile, KeyError, NotImplementedError, RuntimeError, zlib.error. It is rebuilt.
        return None


def _write(path: Path, parts: Parts) -> None:
    try:
        with replacing(path) as temporary:
            arrays: dict[str, Any] = {**parts, "fingerprint": np.array(fingerprint(parts))}
            np.savez_compressed(temporary, **arrays)
    except OSError:
        return
