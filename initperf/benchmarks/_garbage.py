"""Relief of the garbage collector while much is measured.

A full collection looks at every object of the process. After the imports of pandas and Numba these
are some hundred thousand, which takes 0.1 s, before and after each of a hundred measurements.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def existing_objects_kept() -> Iterator[None]:
    """Collect garbage, and let collections within the block look at new objects alone.

    Nothing is set aside where others have done so before: they could not be told apart at the end.
    """
    gc.collect()
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
