"""Array routines: a NumPy reference and its Numba twin, one kernel a file, found in KERNELS.

The file of a kernel has the kernel's name and is imported when the kernel is first asked for.
"""

from initperf.kernels._kernel import KERNELS, Case, Kernel, leaves, register
from initperf.kernels._load import Load, both
from initperf.kernels._team import team

__all__ = ["KERNELS", "Case", "Kernel", "Load", "both", "leaves", "register", "team"]
