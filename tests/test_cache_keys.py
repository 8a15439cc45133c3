"""Compiled kernels are found in the cache again by another process."""

import child

KEYS = """
import gc, hashlib
import initperf.activations
from numba.core import serialize
from numba.extending import is_jitted
from initperf.kernels import KERNELS

kernels = [one for one in gc.get_objects() if is_jitted(one) and one.targetoptions.get("nogil")]
assert len(kernels) >= len(KERNELS)
for one in kernels:
    held = tuple(cell.cell_contents for cell in one.py_func.__closure__ or ())
    print(one.py_func.__qualname__, hashlib.sha256(serialize.dumps(held)).hexdigest())
"""


def test_what_a_kernel_closes_over_is_the_same_in_every_process():
    """Numba's key has it; a jitted function held at any depth is another in each process."""
    one, other = (child.run(KEYS, NUMBA_DISABLE_JIT="0") for _ in range(2))
    assert sorted(one.splitlines()) == sorted(other.splitlines())
