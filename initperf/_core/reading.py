"""Text files that a user names, read up to a size."""

import errno
import os

MOST_CHARACTERS = 2**28
"""No file of results, trials or settings is as long; a device such as /dev/zero never ends."""


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the content of a text file in UTF-8, or what comes through a pipe.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    str

    Raises
    ------
    OSError
        When it cannot be read, or is longer than `MOST_CHARACTERS`.
    UnicodeDecodeError
        When it is not UTF-8.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read(MOST_CHARACTERS + 1)
    if len(text) > MOST_CHARACTERS:
        raise OSError(errno.EFBIG, f"longer than {MOST_CHARACTERS:,} characters", os.fspath(path))
    return text
