"""Ownership and permissions of paths whose content is run as code.

A file is as trustworthy as every directory above it: who can write one of them can replace what
lies below. In a directory with the sticky bit, such as that of temporary files, only the owner of
an entry can replace it.
"""

import os
import stat
from pathlib import Path


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
    if stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX:
        return ""
    group_writes = found.st_mode & stat.S_IWGRP and not _is_alone_in(found.st_gid)
    if found.st_mode & stat.S_IWOTH or group_writes:
        return "can be written by others"
    return ""


def _is_alone_in(group_number: int) -> bool:
    """Return whether a group is this user's own, of the same name and without other members.

    Where users have such groups, the usual umask lets them write (Ubuntu, Fedora). That of root
    never counts.
    """
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(group_number)
    except KeyError:
        return False
    own = group_number == user.pw_gid and group.gr_name == user.pw_name
    return own and os.geteuid() != 0 and set(group.gr_mem) <= {user.pw_name}
