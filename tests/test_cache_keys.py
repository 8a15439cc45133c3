"""Compiled kernels are found in the cache again by another process."""

import child

HELD = """
import gc
import initperf.activations
from numba.extending import is_jitted
from initperf.kernels import KERNELS

kernels = [one for one in gc.get_objects() if is_jitted(one) and one.targetoptions.get("nogil")]
for one in kernels:
    for cell in one.py_func.__closure__ or ():
        held = cell.cell_contents
        if is_jitted(held):
            print(f"{one.py_func.__qualname__} holds {held.py_func.__qualname__}")
assert len(kernels) >= len(KERNELS)
"""


def test_no_kernel_closes_over_a_jitted_function():
    """Numba's key has what a closure holds, and a jitted function is another in each process."""
    assert child.run(HELD, NUMBA_DISABLE_JIT="0") == ""
