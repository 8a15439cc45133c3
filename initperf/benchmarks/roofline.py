"""Every kernel alone, under the roofline: what its operations and its bytes take at least.

A kernel cannot be faster than its operations at the rate of fused multiply-adds, nor than its
bytes at the rate of triad over as many (Williams, Waterman and Patterson 2009,
doi:10.1145/1498765.1498785). Bytes that fit a cache move at the cache's rate, so that the rate of
triad is measured at the power of two below each kernel's own size.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from initperf._core.progress import Progress, silent
from initperf.benchmarks.limits import Limit, fma, stores, triad
from initperf.benchmarks.timing import Timing, measure
from initperf.errors import UsageError
from initperf.jit.blas import blas_threads
from initperf.kernels import KERNELS, Kernel, Load

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("kernel", "size", "dtype", "threads", "operations", "bytes"),
    *("median_s", "low_s", "high_s", "rounds"),
    *("intensity", "rate", "limit_s", "limit", "percent_of_limit"),
)
"""Columns of a roofline's table.

``intensity`` is operations a byte, ``rate`` operations a second; times are in seconds, with the
95 % interval of the median.
"""

_LEAST_BYTES, _MOST_BYTES = 2**12, 2**26


@dataclass(frozen=True)
class KernelSpeed:
    """A kernel's Numba twin, timed on a load by one thread."""

    kernel: str
    load: Load
    dtype: str
    timing: Timing

    @property
    def name(self) -> str:
        """What tells it from all others in a file."""
        return f"kernel[{self.kernel}, {self.dtype}, {self.load.label}]"

    @property
    def samples_s(self) -> Any:
        """Seconds a call took in each round."""
        return self.timing.samples_s

    @property
    def row(self) -> dict[str, Any]:
        """The row of a table, with `COLUMNS`."""
        timing, operations = self.timing, self.load.operations[self.dtype]
        moved = self.load.bytes_moved(self.dtype)
        limit_s, limit = least_seconds(operations, moved, self.dtype)
        return {
            "kernel": self.kernel,
            "size": self.load.label,
            "dtype": self.dtype,
            "threads": 1,
            "operations": operations,
            "bytes": moved,
            "median_s": timing.median_s,
            "low_s": timing.low_s,
            "high_s": timing.high_s,
            "rounds": timing.rounds,
            "intensity": operations / moved,
            "rate": operations / timing.median_s,
            "limit_s": limit_s,
            "limit": limit,
            "percent_of_limit": 100.0 * limit_s / timing.median_s,
        }


def least_seconds(operations: float, moved: float, dtype: str) -> tuple[float, str]:
    """Return the least seconds that one thread needs, and what limits it in words.

    Parameters
    ----------
    operations, moved : float
        Operations, and bytes.
    dtype : str
        Words of an integer type are as many a vector as floats of that width.
    """
    width = "float32" if np.dtype(dtype).itemsize == 4 else "float64"
    bounds = [(moved / _bandwidth(moved, width).value, _bandwidth(moved, width).words)]
    peak = _peak(width)
    if not math.isnan(peak.value):
        bounds.append((operations / peak.value, peak.words))
    return max(bounds)


def choose_kernels(
    words: str, dtypes: Sequence[str] = ("float32", "uint32"), largest: bool = True
) -> list[tuple[Kernel, Load, str]]:
    """Return kernels with their loads and dtypes that have all words in name and size.

    Raises
    ------
    UsageError
        When there are none.
    """
    found = [
        (kernel, load, dtype)
        for kernel in KERNELS.values()
        for load in (list(kernel.loads()) if largest else list(kernel.loads())[:1])
        for dtype in dtypes
        if dtype in load.operations
        and all(word in f"{kernel.name} {load.label}" for word in words.lower().split())
    ]
    if not found:
        raise UsageError(f"no kernel has {words!r} in its name and size: {', '.join(KERNELS)}")
    return found


def measure_kernels(
    *,
    dtypes: Sequence[str] = ("float32", "uint32"),
    largest: bool = True,
    chosen: str = "",
    budget_seconds: float = 0.3,
    progress: Progress = silent,
) -> list[KernelSpeed]:
    """Time the Numba twin of every kernel that has loads, by one thread.

    Parameters
    ----------
    dtypes : sequence of str
        In which of them, those a kernel has.
    largest : bool
        Whether on all loads of a kernel, or on the first and smallest only.
    chosen : str
        Words that all must be in a kernel's name and size.
    budget_seconds : float
        Seconds for each.
    progress : callable, optional
        Told ``(done, total, label)`` before each step.

    Returns
    -------
    list of KernelSpeed

    Raises
    ------
    UsageError
        When no kernel has these words.
    """
    steps = choose_kernels(chosen, dtypes, largest)
    found = []
    for done, (kernel, load, dtype) in enumerate(steps):
        progress(done, len(steps), f"{kernel.name} {load.label}")
        timing = _timed(kernel, load, dtype, budget_seconds)
        found.append(KernelSpeed(kernel.name, load, dtype, timing))
    progress(len(steps), len(steps), "")
    return found


def roofline_tables(budget_seconds: float = 0.04) -> "dict[str, pd.DataFrame]":
    """Return a report's tables: ``kernels`` with `COLUMNS`, and ``limits`` of one thread."""
    import pandas as pd

    speeds = measure_kernels(largest=False, budget_seconds=budget_seconds)
    caches = [_bandwidth(size, "float32") for size in (2**17, _MOST_BYTES)]
    limits = [
        *(("triad in a cache", caches[0]), ("triad in memory", caches[1])),
        *(("plain stores in memory", stores()), ("FMA", _peak("float32"))),
    ]
    return {
        "kernels": pd.DataFrame([speed.row for speed in speeds], columns=list(COLUMNS)),
        "limits": pd.DataFrame(
            [(name, one.value, one.unit, one.threads, "float32") for name, one in limits],
            columns=["limit", "rate", "unit", "threads", "dtype"],
        ),
    }


def _timed(kernel: Kernel, load: Load, dtype: str, budget_seconds: float) -> Timing:
    arguments = load.arguments(dtype)
    with blas_threads(1):
        return measure(
            functools.partial(kernel["numba"], *arguments), budget_seconds=budget_seconds
        )


def _bandwidth(moved: float, dtype: str) -> Limit:
    size = 2 ** math.floor(math.log2(min(max(moved, _LEAST_BYTES), _MOST_BYTES)))
    return _measured_bandwidth(size, dtype)


@functools.cache
def _measured_bandwidth(size: int, dtype: str) -> Limit:
    return triad(size // (3 * np.dtype(dtype).itemsize), dtype)


@functools.cache
def _peak(dtype: str) -> Limit:
    return fma(dtype)
