"""Compiled kernels are found in the cache again by another process."""

import child
import pytest

HELD = """
import gc
import initperf.activations
from numba.extending import is_jitted
from initperf.kernels import KERNELS

def within(function):
    for cell in getattr(function, "__closure__", None) or ():
        yield cell.cell_contents
        yield from within(cell.cell_contents)

names = list(KERNELS)  # which imports them all
kernels = [one for one in gc.get_objects() if is_jitted(one) and one.targetoptions.get("nogil")]
assert len(kernels) >= len(names)
for one in kernels:
    for held in within(one.py_func):
        if is_jitted(held):
            print(f"{one.py_func.__qualname__} holds {held.py_func.__qualname__}")
"""


@pytest.mark.slow
def test_no_kernel_closes_over_a_jitted_function_at_any_depth():
    """Numba's key has what closures hold, and a jitted function is another in each process."""
    assert child.run(HELD, NUMBA_DISABLE_JIT="0") == ""
