"""Cache directory of this project, and atomic replacement of files and directories."""

import errno
import glob
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from initperf._core.targets import target_of
from initperf._core.trust import distrust_status
from initperf._core.uninterrupted import uninterrupted

COMPILED = ".compiled"
"""Ending of files below directories of code, each of which says that a function is there."""

_LEFT_BEHIND_S = 3600.0  # no write takes that long


def cache_directory(*parts: str) -> Path:
    """Return a writable directory below the cache, created where it is missing.

    ``INITPERF_CACHE`` names the cache. Without it, it is the user's cache directory, or, where
    that cannot be written (a read-only home) or there is none (a user without a home), a directory
    of this user's below the directory of temporary files. Directories are created as the umask has
    it, but never writable by others, because compiled code is loaded from below them.

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
    first = _first_choice()
    if first is not None:
        try:
            return _writable(first.joinpath(*parts))
        except OSError:
            if os.environ.get("INITPERF_CACHE"):
                raise
    fallback = _fallback()
    make_directory(fallback, 0o700)
    found = fallback.lstat()
    if not stat.S_ISDIR(found.st_mode) or distrust_status(found):
        words = "not a directory of this user's alone"
        raise PermissionError(errno.EPERM, words, str(fallback))
    return _writable(fallback.joinpath(*parts))


def code_directory(name: str) -> Path:
    """Return the directory of compiled code, which need not be writable, nor exist.

    It is that of `cache_directory` or, where that cannot be written, one that was filled before
    and is read-only now.

    Parameters
    ----------
    name : str
        The directory's name below ``code``.

    Raises
    ------
    OSError
        When ``INITPERF_CACHE`` is no absolute path, or begins with the home of an unknown user.
    """
    first = (_first_choice() or _fallback()).joinpath("code", name)
    try:
        usual = cache_directory("code", name)
    except OSError:
        return first
    filled = usual != first and first.is_dir() and any(first.iterdir())
    return first if filled else usual


def has_compiled_code() -> bool:
    """Return whether any function was compiled before, of these sources or of others."""
    directory = (_first_choice() or _fallback()) / "code"
    return next(directory.glob(f"*/*{COMPILED}"), None) is not None


def is_fallback(directory: Path) -> bool:
    """Return whether a directory of `cache_directory` lies below that of temporary files."""
    return not os.environ.get("INITPERF_CACHE") and _fallback() in directory.parents


def make_directory(directory: Path, mode: int = 0o755) -> None:
    """Create a directory and those above it, unless they exist.

    Parameters
    ----------
    directory : pathlib.Path
        The directory.
    mode : int
        Permissions of all that are created, less those that the umask takes away.

    Raises
    ------
    OSError
        When one cannot be created, or is a file.
    """
    if directory.is_dir() or directory == directory.parent:
        return
    make_directory(directory.parent, mode)
    directory.mkdir(mode, exist_ok=True)


def chosen_cache() -> Path | None:
    """Return the directory that ``INITPERF_CACHE`` names, or None where it is not set.

    A relative path is refused: it would name another directory after each change of the working
    directory, and compiled code would be looked for in any of them.

    Raises
    ------
    ValueError
        When it is no absolute path, or begins with the home of an unknown user.
    """
    chosen = os.environ.get("INITPERF_CACHE")
    if not chosen:
        return None
    found = os.path.expanduser(chosen)
    if found.startswith("~"):
        raise ValueError(f"INITPERF_CACHE is {chosen!r}, and there is no such user's home")
    if not os.path.isabs(found):
        raise ValueError(f"INITPERF_CACHE must be an absolute path, not {chosen!r}")
    return Path(found)


def _first_choice() -> Path | None:
    """Return the cache that is named, or else the user's; None for a user without a home."""
    try:
        chosen = chosen_cache()
    except ValueError as error:
        raise OSError(str(error)) from error
    if chosen is not None:
        return chosen
    try:
        usual = Path(platformdirs.user_cache_dir("initperf"))
    except RuntimeError:  # there is no home; earlier releases return a path that begins with "~"
        return None
    return usual if usual.is_absolute() else None


def _fallback() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir(), f"initperf-{user}")


def _writable(directory: Path) -> Path:
    make_directory(directory)
    with tempfile.TemporaryFile(dir=directory):
        return directory


@contextmanager
def replacing(
    path: Path, *, flush: bool = True, mode: int = 0o666, cached: bool = False
) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block succeeds.

    Readers see the old file or the new one, never a part: the new one is flushed to the disk
    before it is renamed, and removed when the block raises.

    A symbolic link stays, and the file that it leads to is replaced or made. A directory, a device,
    a pipe or a socket is refused before the block and again after it: a renamed file would take
    its place, and nobody who reads from the pipe or device would learn of it.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its directory must exist.
    flush : bool
        Whether to wait for the disk. Without it a power failure can leave a file of the right
        size whose content is lost, which the reader must recognise.
    mode : int
        Permissions, less those that the umask takes away, whatever a library that writes its own
        file over the temporary one gives it.
    cached : bool
        Whether the name is one of a cache of initperf, in which links are not followed, and all
        but directories gives way.

    Yields
    ------
    pathlib.Path
        An empty file to write; the same suffix as `path`.

    Raises
    ------
    OSError
        When the file cannot be written, or is not one to replace; names `path`, never the temporary
        file.
    """
    target = path if cached else target_of(path)
    stem = f".{path.stem[:100]}~initperf-"
    _remove_leftovers(target.parent, stem, path.suffix)
    temporary = target.with_name(f"{stem}{secrets.token_hex(8)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        granted = temporary.stat().st_mode
        yield temporary
        if temporary.stat().st_mode != granted:
            temporary.chmod(stat.S_IMODE(granted))
        if flush:
            _flush(temporary)
        if not cached:
            target_of(target)
        temporary.replace(target)
    except OSError as error:
        if error.filename is None or os.fspath(error.filename) != os.fspath(temporary):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(directory: Path, stem: str, ending: str) -> None:
    """Delete temporary files and directories of processes that were killed an hour ago or more."""
    with suppress(OSError):  # another process was first, or the directory is read-only
        for left in directory.glob(f"{glob.escape(stem)}{'[0-9a-f]' * 16}{glob.escape(ending)}"):
            if left.lstat().st_mtime >= time.time() - _LEFT_BEHIND_S:
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()


@contextmanager
def replacing_directory(directory: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give an empty directory that takes the place of `directory` when the block succeeds.

    A symbolic link stays, and the directory that it leads to is replaced or made.
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
        When the directory cannot be written or renamed, or is a file, a device or a pipe; what was
        there is in its place then.
    """
    directory = directory.resolve()
    if directory.exists() and not directory.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(directory))
    parent = next(parent for parent in directory.parents if parent.exists())
    stem = f".{directory.name[:100]}~initperf-"
    _remove_leftovers(parent, stem, "")
    workshop = parent / f"{stem}{secrets.token_hex(8)}"
    fresh = workshop / "new"
    try:
        fresh.mkdir(parents=True)
        yield fresh
        for path in (*fresh.rglob("*"), fresh):
            _flush(path)
        with uninterrupted():
            directory.parent.mkdir(parents=True, exist_ok=True)
            if replace:
                _swap(fresh, directory, workshop / "old")
            elif not directory.exists():
                _rename_unless_present(fresh, directory)
    finally:
        with uninterrupted():
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
