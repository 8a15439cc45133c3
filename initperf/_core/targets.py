"""Checks of the place where a file is to be written, and the file that a link leads to."""

import errno
import os
import stat
from pathlib import Path


def target_of(path: str | os.PathLike[str]) -> Path:
    """Return the file that is replaced when a path is written to: what a symbolic link leads to.

    Parameters
    ----------
    path : path
        A file, a link to one, or a name that is free; a link may lead to a free name.

    Returns
    -------
    pathlib.Path
        `path` itself, unless it is a link.

    Raises
    ------
    OSError
        With `path` as its file name, when a directory, a device, a pipe or a socket stands there,
        when links lead in a circle, or when it cannot be looked up.
    """
    found = Path(path)
    try:
        mode = found.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        words = "not a regular file, and not replaced"
        raise OSError(errno.EINVAL, words, os.fspath(path))
    return Path(os.path.realpath(found)) if found.is_symlink() else found
