"""The array routines: each a NumPy reference and a Numba twin in one file, found in KERNELS."""

from initperf.kernels._kernel import BACKENDS, KERNELS, Case, Kernel, jit, register
from initperf.kernels._load import Load
from initperf.registry import import_siblings

__all__ = ["BACKENDS", "KERNELS", "Case", "Kernel", "Load", "jit", "register"]

import_siblings(__name__, __path__)
