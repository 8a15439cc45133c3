"""Return of freed memory to the system while a check runs.

Small objects that are made between large ones leave holes in glibc's heap: a gradient that is
freed is then not where the next one fits, and the process grows by as many gradients as there are
operations. Pages of holes are given back now and then; other allocators are left alone.
"""

import ctypes
import functools
import sys
from typing import Any


@functools.cache
def _trim() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def trim() -> None:
    """Give the pages of free memory back to the system, where the allocator is glibc's."""
    function = _trim()
    if function is not None:
        function(ctypes.c_size_t(0))
