"""Compilation of kernels: policy, vectors, tiles, BLAS, tuning, and private names of numba.

The names imported here are what an author of a kernel, an activation or an optimizer needs; the
modules of this package hold the parts that kernels are built from.
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
