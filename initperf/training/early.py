"""Processes that compile, started before this process knows what: they import meanwhile."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from initperf._core.parallel import default_threads
from initperf._core.sharing import waiting_helpers
from initperf._core.storage import has_compiled_code


@contextmanager
def waiting_compilers() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start a process for each other processor, for the ``waiting`` of `_precompile.compiling`.

    Where something was compiled before there are none: most likely all that is needed was.
    """
    count = 0 if has_compiled_code() else default_threads() - 1
    with waiting_helpers("initperf.training._precompile", count) as started:
        yield started
