"""Rare garbage collections: most of what a verb allocates are modules, which live to its end."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS = 100_000
"""Allocations between two collections, where Python's default of 700 takes 15 % of imports."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Collect garbage rarely within the block, and not when the process ends.

    Python's shutdown looks through all that lives, half a second after a report.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
