"""Atomic replacement of a directory, of earlier reports only."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from initperf._core import storage
from initperf.errors import UsageError

MANIFEST = "report.json"

_GENERATOR = "initperf"
_ROOM = 32 << 20
"""Bytes that must be free for a report: a large one takes 20 MB, and an old one stays meanwhile."""


def check_directory(directory: Path) -> None:
    """Check that a report may replace the directory, and can be written to its place.

    Raises
    ------
    UsageError
        When it is a file, a mount point, or a directory that holds a file that no report wrote, or
        that was changed since; and when its place cannot be written or has too little room.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file; name a directory for the report")
    if os.path.ismount(directory.resolve()):
        raise UsageError(
            f"{directory} is a mount point, which a report cannot replace; name a directory in it"
        )
    _check_content(directory)
    _check_place(directory.resolve())


def _check_content(directory: Path) -> None:
    """Check that a report wrote every file of the directory; see `check_directory`."""
    written = _written(directory)
    for path in sorted(directory.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(directory)
        if name.as_posix() not in written:
            words = "which is not part of a report"
        elif written[name.as_posix()] not in ("", _digest(path)):
            words = "which was changed after a report had written it"
        else:
            continue
        raise UsageError(
            f"{directory} holds {name}, {words}; name a new directory, or move what is there"
        )


def _written(directory: Path) -> dict[str, str]:
    """Return the files that a report wrote here and their digests, by the manifest; "" for its own.

    Whatever is not a manifest of this package, with a digest for each file, names none.
    """
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        if manifest["generator"] != _GENERATOR:
            return {}
        found = {str(name): digest for name, digest in manifest["files"].items() if digest}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found | {MANIFEST: ""}


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; that of nothing for a link, which no report writes."""
    if path.is_symlink():
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _check_place(directory: Path) -> None:
    """Check that a directory beside this one can be made, and that there is room for a report.

    Raises
    ------
    UsageError
        Naming the directory and the reason.
    """
    parent = next(parent for parent in directory.parents if parent.exists())
    try:
        os.rmdir(tempfile.mkdtemp(dir=parent, prefix=f".{directory.name[:100]}~"))
        free = shutil.disk_usage(parent).free
    except OSError as error:
        raise UsageError(f"cannot write a report to {directory}: {error.strerror}") from None
    if free < _ROOM:
        raise UsageError(
            f"cannot write a report to {directory}: {free / 2**20:.0f} MB are free in {parent}, "
            f"and it may need {_ROOM >> 20} MB"
        )


@contextmanager
def replacing_directory(directory: Path) -> Iterator[Path]:
    """Give an empty directory that replaces `directory` when the block succeeds.

    When the block raises, or Ctrl-C is pressed, the old one is unchanged and nothing else is left.

    Parameters
    ----------
    directory : pathlib.Path
        Path to replace; missing parents are made at the end.

    Yields
    ------
    pathlib.Path
        An empty directory on the same file system.

    Raises
    ------
    UsageError
        When `directory` holds a file that no report wrote, or cannot be written.
    """
    directory = directory.resolve()
    check_directory(directory)
    with contextlib.ExitStack() as stack:
        try:
            fresh = stack.enter_context(storage.replacing_directory(directory))
        except OSError as error:
            raise UsageError(f"cannot write a report to {directory}: {error.strerror}") from error
        yield fresh
        files = sorted(path for path in fresh.rglob("*") if path.is_file())
        digests = {path.relative_to(fresh).as_posix(): _digest(path) for path in files}
        manifest = {"generator": _GENERATOR, "files": digests}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        _check_content(directory)  # what came meanwhile stays
        try:
            stack.close()
        except OSError as error:
            raise UsageError(f"cannot replace {directory}: {error.strerror}") from error
