"""Array routines: a NumPy reference and its Numba twin, one kernel a file, found in KERNELS."""

from initperf._core.registry import import_siblings
from initperf.kernels._kernel import KERNELS, Case, Kernel, leaves, register
from initperf.kernels._load import Load, both

__all__ = ["KERNELS", "Case", "Kernel", "Load", "both", "leaves", "register"]

import_siblings(__name__, __path__)
