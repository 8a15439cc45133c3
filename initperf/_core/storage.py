"""Where initperf keeps what it can make again, and how it writes what it must not lose."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def cache_directory(*parts: str) -> Path:
    """Return a writable directory below the cache, made if need be.

    ``INITPERF_CACHE`` names the cache; without it, it is the user's cache directory, and where
    that cannot be written (a read-only home), a directory of this user's among the temporary
    files.

    Parameters
    ----------
    *parts : str
        The directory's name below the cache.

    Returns
    -------
    pathlib.Path
        An existing, writable directory.

    Raises
    ------
    OSError
        When ``INITPERF_CACHE`` is set and cannot be written, or nothing can.
    """
    chosen = os.environ.get("INITPERF_CACHE")
    if chosen:
        return _writable(Path(chosen).expanduser().joinpath(*parts))
    try:
        return _writable(Path(platformdirs.user_cache_dir("initperf")).joinpath(*parts))
    except OSError:
        fallback = _fallback()
        fallback.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and fallback.stat().st_uid != os.getuid():
            raise
        return _writable(fallback.joinpath(*parts))


def is_fallback(directory: Path) -> bool:
    """Return whether a directory of `cache_directory` is among the temporary files."""
    return not os.environ.get("INITPERF_CACHE") and _fallback() in directory.parents


def _fallback() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir(), f"initperf-{user}")


def _writable(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        return directory


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block succeeds.

    Readers see the old file or the new one, whole, never a part: the new one is flushed to the
    disk before it is renamed, and removed when the block raises.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its directory must exist.

    Yields
    ------
    pathlib.Path
        Where to write; the same suffix as `path`.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
