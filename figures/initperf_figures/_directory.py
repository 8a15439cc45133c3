"""Atomic replacement of a directory, of earlier reports only."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from initperf._core import storage
from initperf.errors import UsageError

MANIFEST = "report.json"


def check_directory(directory: Path) -> None:
    """Check that a report may replace the directory.

    Raises
    ------
    UsageError
        When it is a file, or a directory that holds a file that no report wrote.
    """
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file; name a directory for the report")
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        written = {directory / MANIFEST} | {directory / name for name in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        written = set()
    for path in directory.rglob("*"):
        if not path.is_dir() and path not in written:
            raise UsageError(
                f"{directory} holds {path.relative_to(directory)}, which is not part of a report; "
                "name a new directory, or move what is there"
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
        names = [path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file()]
        manifest = {"generator": "initperf", "files": sorted(names)}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        try:
            stack.close()
        except OSError as error:
            raise UsageError(f"cannot replace {directory}: {error.strerror}") from error
