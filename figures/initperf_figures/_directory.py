"""A directory that appears whole or not at all, and only replaces what initperf wrote itself."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from initperf._core import storage
from initperf.errors import UsageError

MANIFEST = "report.json"


def check_directory(directory: Path) -> None:
    """Make sure that a report may take the place of what is there now.

    Raises
    ------
    UsageError
        When there is a file, or a directory with anything in it that no report put there.
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
    """Give an empty directory that takes the place of `directory` when the block succeeds.

    Until then the old one stays as it is; when the block raises, or Ctrl-C is pressed, it stays
    for good and nothing else is left behind.

    Parameters
    ----------
    directory : pathlib.Path
        Where the new directory goes; missing parents are made at the end.

    Yields
    ------
    pathlib.Path
        An empty directory on the same file system.

    Raises
    ------
    UsageError
        When `directory` holds anything but a report, or cannot be written.
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
