"""Every kernel alone: its Numba twin on all its loads and dtypes, by one thread.

Kernels that run on several threads are timed on one and on all of them elsewhere: the fills in
``bench_fills.py`` and ``bench_initializers.py``, ``haar`` and ``orthogonalize`` in
``bench_orthogonal.py``.

The smallest load of a kernel takes turns with the NumPy reference, which is the specification
and not a rival: the ratio keeps the row comparable between faster and slower days.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from initperf.benchmarks.roofline import kernel_row
from initperf.benchmarks.workloads import PREPARATIONS
from initperf.jit.blas import blas_threads
from initperf.kernels import KERNELS


def _rows() -> Iterator[tuple[str, tuple[Any, ...]]]:
    for kernel in KERNELS.values():
        for place, load in enumerate(kernel.loads()):
            for dtype in load.dtypes:
                name = f"{kernel.name}-{dtype}-{load.label.replace(' ', '')}"
                yield name, (kernel, load, dtype, place == 0)


ROWS = dict(_rows())


def prepare(kernel: Any, backend: str, load: Any, dtype: str) -> Any:
    return partial(kernel[backend], *load.arguments(dtype))


@pytest.mark.parametrize("row", list(ROWS))
def test_kernel(ab, timed, benchmark, row):
    kernel, load, dtype, smallest = ROWS[row]
    benchmark.group = f"{kernel.name} {dtype} {load.label}"
    ours, reference = (partial(prepare, kernel, which, load, dtype) for which in ("numba", "numpy"))
    ours()()
    with blas_threads(1):
        if smallest:
            found = ab(reference, ours, preparations=PREPARATIONS)
            timing = found and found.candidate
        else:
            timing = timed(ours())
    if timing:
        benchmark.extra_info.update(kernel_row((kernel, load, dtype), timing).record())
