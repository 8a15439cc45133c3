"""Compilation of kernels: policy, vectors, tiles, BLAS, and every private name of numba.

An author of a kernel, an activation or an optimizer needs what is imported here; the modules of
this package hold the parts of which kernels are built.
"""

from initperf.jit.elementary import exp, log, tanh
from initperf.jit.policy import by_dtype, jit, jit_sums, like, portable, portable_sums, where

__all__ = [
    "by_dtype",
    "exp",
    "jit",
    "jit_sums",
    "like",
    "log",
    "portable",
    "portable_sums",
    "tanh",
    "where",
]
