"""Timings of every kernel alone, under the roofline: the least that operations and bytes take.

A kernel cannot be faster than its operations at the rate of fused multiply-adds, nor than its
bytes at the rate of triad over as many (Williams, Waterman and Patterson 2009,
doi:10.1145/1498765.1498785). Bytes that fit a cache move at the cache's rate, so that the rate of
triad is measured at the power of two below each kernel's own size.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from initperf._core.progress import Progress, silent
from initperf.benchmarks._garbage import existing_objects_kept
from initperf.benchmarks._selection import select, with_progress
from initperf.benchmarks.budget import Budget
from initperf.benchmarks.footprint import Footprint, footprint
from initperf.benchmarks.limits import (
    Limit,
    fma,
    fma_tasks,
    store_tasks,
    stores,
    streaming_tasks,
    triad,
    triad_tasks,
)
from initperf.benchmarks.rows import Row, columns_of, table_of
from initperf.benchmarks.timing import Timing, measure
from initperf.jit.blas import blas_threads
from initperf.jit.cache_lines import LINE_BYTES
from initperf.jit.internals import compiles
from initperf.kernels import KERNELS, Kernel, Load

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = columns_of("kernel")
"""Columns of a roofline's table; `initperf.benchmarks.rows.COLUMNS` describes them."""

_TRAINING = frozenset(
    ("activate", "dense_backward", "dense_forward", "softmax_cross_entropy", "train_epoch")
)
"""Kernels that every training compiles, with others or in other processes."""

_SELDOM = frozenset(
    (
        "fill_normal_rows",
        "fill_truncated_normal_rows",
        "fill_uniform_rows",
        "histogram",
        "narrow",
        "orthogonalize",
        "philox",
        "pointwise_loss",
        "signal_statistics",
    )
)
"""Kernels that neither a whole draw nor a usual training calls; quick measurements skip them."""

_LEAST_BYTES, _MOST_BYTES = 2**12, 2**26

Step = tuple[Kernel, Load, str]


@functools.cache
def measured_bandwidth(size: int, dtype: str) -> Limit:
    """Measure triad, once in a process for each size.

    Parameters
    ----------
    size : int
        Bytes of the three arrays together.
    dtype : str
        Of their values.

    Returns
    -------
    Limit
    """
    return triad(size // (3 * np.dtype(dtype).itemsize), dtype)


@functools.cache
def measured_peak(dtype: str) -> Limit:
    """Measure fused multiply-adds, once in a process."""
    return fma(dtype)


def least_seconds(
    operations: float,
    moved: float,
    dtype: str,
    *,
    bandwidth: Callable[[int, str], Limit] = measured_bandwidth,
    peak: Callable[[str], Limit] = measured_peak,
) -> tuple[float, str]:
    """Return the least seconds that one thread needs, and what limits it in words.

    Parameters
    ----------
    operations, moved : float
        Operations, and bytes.
    dtype : str
        Words of an integer type are as many a vector as floats of that width.
    bandwidth : callable
        ``bandwidth(bytes, dtype)`` gives bytes per second.
    peak : callable
        ``peak(dtype)`` gives operations per second, NaN where they cannot be measured.

    Returns
    -------
    tuple of float and str
    """
    width = "float32" if np.dtype(dtype).itemsize == 4 else "float64"
    size = 2 ** math.floor(math.log2(min(max(moved, _LEAST_BYTES), _MOST_BYTES)))
    memory, arithmetic = bandwidth(size, width), peak(width)
    bounds = [(moved / memory.value, memory.words)]
    if not math.isnan(arithmetic.value):
        bounds.append((operations / arithmetic.value, arithmetic.words))
    return max(bounds)


def choose_kernels(
    words: str,
    dtypes: Sequence[str] = ("float32", "uint32"),
    *,
    largest: bool = True,
    kernels: Mapping[str, Kernel] = KERNELS,
) -> list[Step]:
    """Return kernels with their loads and dtypes that have all words in name and size.

    Parameters
    ----------
    words : str
        Separated by spaces; none choose everything.
    dtypes : sequence of str
        In which of them, those a kernel has.
    largest : bool
        All loads of a kernel, or the first and smallest only.
    kernels : mapping of str to Kernel
        What there is to choose from.

    Returns
    -------
    list of tuple of Kernel, Load and str

    Raises
    ------
    UsageError
        When no kernel has these words.
    """
    every = [
        (kernel, load, dtype)
        for kernel in kernels.values()
        for load in (list(kernel.loads()) if largest else list(kernel.loads())[:1])
        for dtype in dtypes
        if dtype in load.operations
    ]
    return select(every, _label, words, kind="kernel", among=list(kernels))


def measure_kernels(
    steps: Sequence[Step], budget: Budget, progress: Progress = silent
) -> list[Row]:
    """Time the Numba twins of kernels, by one thread.

    Parameters
    ----------
    steps : sequence of tuple of Kernel, Load and str
        What `choose_kernels` returned.
    budget : Budget
        For each of them.
    progress : callable, optional
        Told ``(done, total, label)`` before each step.

    Returns
    -------
    list of Row
    """
    rows = []
    with existing_objects_kept():
        for step in with_progress(steps, _label, progress):
            kernel, load, dtype = step
            arguments = load.arguments(dtype)
            with blas_threads(1):
                call = functools.partial(kernel["numba"], *arguments)
                timing = measure(call, budget)
                taken = footprint(call)
            rows.append(kernel_row(step, timing, taken))
    return rows


def kernel_row(step: Step, timing: Timing, taken: Footprint | None = None) -> Row:
    """Return the row of a kernel that was timed on a load by one thread.

    Parameters
    ----------
    step : tuple of Kernel, Load and str
        The kernel, its load and the dtype.
    timing : Timing
        Of its Numba twin.
    taken : Footprint, optional
        Memory and instructions of a call.

    Returns
    -------
    Row
    """
    kernel, load, dtype = step
    operations, moved = load.operations[dtype], load.bytes_moved(dtype)
    limit_s, limit = least_seconds(operations, moved, dtype)
    return Row(
        kernel=kernel.name,
        size=load.label,
        dtype=dtype,
        threads=1,
        operations=operations,
        bytes=moved,
        limit_s=limit_s,
        limit=limit,
        **timing.record(),
        **({} if taken is None else taken.record()),
    )


def _steps(quick: bool) -> list[Step]:
    """Return the kernels of a report's tables."""
    steps = choose_kernels("", largest=False)
    return [step for step in steps if not (quick and step[0].name in _SELDOM)]


def roofline_tables(quick: bool = False, budget_seconds: float = 0.04) -> "dict[str, pd.DataFrame]":
    """Return a report's tables: ``kernels`` with `COLUMNS`, and ``limits`` of one thread.

    Parameters
    ----------
    quick : bool
        Whether to leave out kernels that draws and trainings seldom call.
    budget_seconds : float
        For each kernel.
    """
    import pandas as pd

    rows = measure_kernels(_steps(quick), Budget(seconds=budget_seconds))
    limits = {
        "triad in a cache": measured_bandwidth(2**17, "float32"),
        "triad in memory": measured_bandwidth(_MOST_BYTES, "float32"),
        "stores in memory": stores(),
        "FMA": measured_peak("float32"),
    }
    return {
        "kernels": table_of(rows, COLUMNS),
        "limits": pd.DataFrame(
            [(name, one.value, one.unit, one.threads, "float32") for name, one in limits.items()],
            columns=["limit", "rate", "unit", "threads", "dtype"],
        ),
    }


def compile_roofline(progress: Progress, quick: bool = False) -> None:
    """Compile what `roofline_tables` times, but for what training compiles, and its limits.

    Parameters
    ----------
    progress : callable
        Told ``(done, total, label)`` before each step.
    quick : bool
        As for `roofline_tables`.
    """
    alone = [step for step in _steps(quick) if step[0].name not in _TRAINING]
    for kernel, load, dtype in with_progress(alone, _label, progress):
        kernel["numba"](*load.arguments(dtype))
    if compiles():
        for tasks in (store_tasks, streaming_tasks, triad_tasks):
            tasks(LINE_BYTES, "float32", 1)[0](1)
        fma_tasks("float32", 1)[0](1)


def _label(step: Step) -> str:
    return f"{step[0].name} {step[1].label}"
