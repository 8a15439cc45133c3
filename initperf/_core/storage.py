"""Cache directory of this project, and atomic replacement of files and directories."""

import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def cache_directory(*parts: str) -> Path:
    """Return a writable directory below the cache, created where it is missing.

    ``INITPERF_CACHE`` names the cache. Without it, it is the user's cache directory, or, where
    that cannot be written (a read-only home), a directory of this user's below the directory of
    temporary files.

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
        When ``INITPERF_CACHE`` is set and cannot be written, or no candidate can.
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
    """Return whether a directory of `cache_directory` lies below that of temporary files."""
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

    Readers see the old file or the new one, never a part: the new one is flushed to the disk
    before it is renamed, and removed when the block raises.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its directory must exist.

    Yields
    ------
    pathlib.Path
        Where to write; the same suffix as `path`.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_directory(directory: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give an empty directory that takes the place of `directory` when the block succeeds.

    Until then an old one stays as it is; when the block raises, or Ctrl-C is pressed, it stays
    for good and nothing else is left behind. All files are flushed to the disk before the
    directory is renamed; Ctrl-C is held back while the old and the new one change places.

    Parameters
    ----------
    directory : pathlib.Path
        Where the new directory goes; missing parents are created at the end.
    replace : bool
        Whether a directory that is there at the end gives way. Without it, the one that is there,
        written by another process meanwhile, stays and the new one is dropped.

    Yields
    ------
    pathlib.Path
        An empty directory on the same file system.

    Raises
    ------
    OSError
        When the directory cannot be written or renamed; the old one is in its place then.
    """
    directory = directory.resolve()
    parent = next(parent for parent in directory.parents if parent.exists())
    workshop = parent / f".{directory.name}-{secrets.token_hex(4)}"
    fresh = workshop / "new"
    try:
        fresh.mkdir(parents=True)
        yield fresh
        for path in (*fresh.rglob("*"), fresh):
            _flush(path)
        with _uninterrupted():
            directory.parent.mkdir(parents=True, exist_ok=True)
            if replace:
                _swap(fresh, directory, workshop / "old")
            elif not directory.exists():
                _rename_unless_present(fresh, directory)
    finally:
        with _uninterrupted():
            shutil.rmtree(workshop, ignore_errors=True)


def _swap(fresh: Path, directory: Path, aside: Path) -> None:
    try:
        if directory.exists():
            directory.rename(aside)
        fresh.rename(directory)
    finally:
        if aside.exists() and not directory.exists():
            aside.rename(directory)


def _rename_unless_present(fresh: Path, directory: Path) -> None:
    try:
        fresh.rename(directory)
    except OSError:
        if not directory.exists():  # unless another process was first
            raise


def _flush(path: Path) -> None:
    """Wait until a file, or the entries of a directory, are on the disk."""
    if path.is_dir():
        if os.name == "nt":  # which opens no directories
            return
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C, which reaches the main thread only, back until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)
    if held:
        signal.raise_signal(signal.SIGINT)
