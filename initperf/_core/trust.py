"""Ownership and permissions of paths whose content is run as code.

A file is as trustworthy as every directory above it: who can write one of them can replace what
lies below. In a directory with the sticky bit, such as that of temporary files, only the owner of
an entry can replace it.
"""

import os
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def distrust(path: Path) -> str:
    """Return why another user than this one and root could have changed a path; "" if none could.

    The path and all directories above it count, as named and with symbolic links resolved; what
    does not exist is passed over. On Windows, which has no such permissions, nothing is checked.

    Parameters
    ----------
    path : pathlib.Path
        A file or directory.

    Returns
    -------
    str
        Such as ``"/shared/cache can be written by others"``.
    """
    if not hasattr(os, "geteuid"):
        return ""
    try:
        named, resolved = path.absolute(), path.resolve()
        above = (*reversed(named.parents), named, *reversed(resolved.parents), resolved)
        for place in dict.fromkeys(above):
            try:
                words = distrust_status(place.stat())
            except (FileNotFoundError, NotADirectoryError):
                continue
            if words:
                return f"{place} {words}"
    except (OSError, RuntimeError) as error:  # Python 3.11 and 3.12 raise the latter for loops
        return f"{path} cannot be examined: {error}"
    return ""


def distrust_status(found: os.stat_result) -> str:
    """Return why another user could have changed what has this status; "" if none could."""
    if not hasattr(os, "geteuid"):
        return ""
    if found.st_uid not in (0, os.geteuid()):
        return f"belongs to user {found.st_uid}"
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if found.st_mode & _OTHERS_WRITE and not sticky:
        return "can be written by others"
    return ""
