"""Workloads whose speed is measured, one family a file, each with all methods of doing it."""

from initperf._core.registry import import_siblings
from initperf.benchmarks.workloads._workload import (
    PREPARATIONS,
    WORKLOADS,
    Entry,
    Method,
    Size,
    Workload,
    is_installed,
    matrix,
    register,
)

__all__ = [
    "PREPARATIONS",
    "WORKLOADS",
    "Entry",
    "Method",
    "Size",
    "Workload",
    "is_installed",
    "matrix",
    "register",
]

import_siblings(__name__, __path__)
