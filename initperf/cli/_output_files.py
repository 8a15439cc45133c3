"""Files and directories of output options, checked before anything is measured or trained."""

import errno
import os
from pathlib import Path

from initperf._core.targets import target_of
from initperf.errors import UsageError


def output_file(option: str, text: str | None, *suffixes: str) -> Path | None:
    """Return the file that an output option names, or None where the option was not given.

    Parameters
    ----------
    option : str
        The option, for the error message.
    text : str or None
        What was given.
    *suffixes : str
        Endings that are allowed, in lower case; any without them.

    Raises
    ------
    UsageError
        For another ending, and where its directory does not exist or cannot be written.
    OSError
        When a directory, a device or a pipe stands there.
    """
    if not text:
        return None
    path = Path(text)
    kind = f"a {' or '.join(suffixes)} file" if suffixes else "a file"
    if suffixes and path.suffix.lower() not in suffixes:
        raise UsageError(f"{option} must be {kind}, not {text}")
    directory = target_of(path).parent if path.parent.is_dir() else path.parent
    if not directory.is_dir():
        raise UsageError(f"{option} must be {kind} in a directory that exists, not {text}")
    check_writable(directory)
    return path


def check_output_directory(option: str, directory: Path, *names: str) -> None:
    """Check that an output option names a directory, or one that can be made.

    Parameters
    ----------
    option : str
        The option, for the error message.
    directory : pathlib.Path
    *names : str
        Files that will be written there.

    Raises
    ------
    UsageError
        When it, or what it would lie in, is no directory or cannot be written.
    OSError
        When a directory, a device or a pipe stands where a file will be written.
    """
    there = next(one for one in (directory, *directory.absolute().parents) if os.path.lexists(one))
    if not there.is_dir():
        where = "is" if there == directory else f"lies in {there}, which is"
        raise UsageError(f"{option} must be a directory, and {directory} {where} none")
    check_writable(there)
    for name in names if there == directory else ():
        target_of(directory / name)


def check_writable(directory: Path) -> None:
    """Check that files can be made in a directory, as far as its permissions say.

    Raises
    ------
    OSError
        When they cannot.
    """
    if not os.access(directory, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(directory))
