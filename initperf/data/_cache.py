"""What was parsed once, kept as a compact file and believed only when its fingerprint agrees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from initperf._core.storage import cache_directory, replacing
from initperf.data._catalogue import Parts
from initperf.data._dataset import PARTS, fingerprint


def directory() -> Path | None:
    """Return where data is kept; None when nothing can be: it is then parsed every time."""
    try:
        return cache_directory("data")
    except OSError:
        return None


def remembered(key: str, parse: Callable[[], Parts]) -> Parts:
    """Return what `parse` gives, from the cache when it is there and undamaged.

    Nothing is written when `parse` raises. A cache that cannot be written (a full disk) costs
    the time to parse, never the data.

    Parameters
    ----------
    key : str
        The file's name without suffix; different data must have different keys.
    parse : callable
        Gives the four arrays.
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
        # A damaged archive raises whatever its first damaged field leads to: BadZipFile, KeyError,
        # NotImplementedError, RuntimeError, zlib.error. It is rebuilt whichever it was.
        return None


def _write(path: Path, parts: Parts) -> None:
    try:
        with replacing(path) as temporary:
            arrays: dict[str, Any] = {**parts, "fingerprint": np.array(fingerprint(parts))}
            np.savez_compressed(temporary, **arrays)
    except OSError:
        return
