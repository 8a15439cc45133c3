"""Files of a store: written under a temporary name and renamed, and left-overs removed."""

import contextlib
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ABANDONED_SECONDS = 3600.0
_TEMPORARY = re.compile(r"\.initperf~(?P<host>[^~]*)~(?P<process>\d+)~.*")
_OF_EARLIER_VERSIONS = re.compile(r"\.[0-9a-f]{16}-[0-9a-f]{8}")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which it replaces when the block succeeds.

    The file is flushed to the disk before it is renamed, so that what is found under `path` is
    complete; directories are not flushed, which Windows cannot do, so that after a power failure
    a new file may be absent. The temporary name tells host and process, so that
    `remove_leftovers` can tell files of living processes from others.

    Parameters
    ----------
    path : pathlib.Path
        The file to write; its directory must exist.

    Yields
    ------
    pathlib.Path

    Raises
    ------
    OSError
        When the file cannot be written; nothing is left then.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=temporary_prefix(), suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        _share_as(path.parent, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_prefix() -> str:
    """Return the beginning of names of temporary files and directories of this process."""
    return f".initperf~{host()}~{os.getpid()}~"


def _share_as(directory: Path, file: Path) -> None:
    """Let those read a file who may read its directory: temporary files are the user's alone."""
    file.chmod(0o600 | (directory.stat().st_mode & 0o066))


def remove_leftovers(directory: Path) -> int:
    """Remove temporary files and directories of processes that were killed; return how many.

    A file goes when its process is gone from this host, and when it is an hour old: a write takes
    seconds.
    """
    removed = 0
    with os.scandir(directory) as entries:
        found = [entry for entry in entries if entry.name.startswith(".")]
    for entry in found:
        if _is_left_over(entry):
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)
                removed += 1
    return removed


def _is_left_over(entry: "os.DirEntry[str]") -> bool:
    temporary = _TEMPORARY.fullmatch(entry.name)
    if temporary is None and not _OF_EARLIER_VERSIONS.fullmatch(entry.name):
        return False
    with contextlib.suppress(OSError):
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_SECONDS:
            return True
    own_host = temporary is not None and temporary["host"] == host()
    return own_host and temporary is not None and not _is_alive(int(temporary["process"]))


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # where the signal 0 would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def host() -> str:
    """Return the name of this machine, as names of temporary files have it."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())[:64]
