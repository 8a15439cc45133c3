"""Store of the runs that a verb keeps, without a trace of one that kept none."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.cli._output_files import check_writable

if TYPE_CHECKING:
    from initperf.training.store import RunStore


@contextmanager
def kept_runs(directory: str | os.PathLike[str]) -> "Iterator[RunStore]":
    """Give the store in a directory, which is made where it does not exist.

    Where the block raises, directories that were made here and are empty are removed again.

    Parameters
    ----------
    directory : path

    Raises
    ------
    initperf.errors.UsageError
        When it is not a directory, and cannot be made one.
    OSError
        When it cannot be written.
    """
    from initperf.training.store import RunStore

    path = Path(directory)
    absent = [one for one in (path, *path.parents) if not os.path.lexists(one)]
    try:
        store = RunStore(path)
        check_writable(path)
        yield store
    except BaseException:
        with contextlib.suppress(OSError):  # the first that is not empty
            for one in absent:
                one.rmdir()
        raise
