"""Memory of a call beside its result: the peak of a process less the peak before the call.

A process of its own draws into an existing array; Numba's allocations, which Python's tracing
does not see, count too. Rows are in bytes, as if a byte took a second.
"""

import subprocess
import sys

import pytest

from initperf import INITIALIZERS

DRAW = """
import resource, sys, numpy as np
from initperf import INITIALIZERS
name, rows, columns = sys.argv[1], *map(int, sys.argv[2:])
initializer, out = INITIALIZERS[name], np.zeros((rows, columns), "float32")
out += 1
initializer((256, 256), rng=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
initializer(out.shape, rng=0, out=out)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
KIBIBYTE = 1 if sys.platform == "darwin" else 1024
SIDE = 2048
NAMES = {initializer.family: name for name, initializer in INITIALIZERS.items()}.values()


if sys.platform != "win32":

    @pytest.mark.parametrize("name", NAMES)
    def test_beside_the_result(recorded, benchmark, name):
        benchmark.group = "bytes beside the result"
        side = str(SIDE if benchmark.enabled else 256)
        command = [sys.executable, "-c", DRAW, name, side, side]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        beside = int(found.stdout) * KIBIBYTE
        benchmark.extra_info.update(bytes_beside=beside, of_result=beside / (4 * int(side) ** 2))
        recorded([float(beside)])
