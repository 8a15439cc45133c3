"""Fills of arrays of any layout, by kernels that fill contiguous memory."""

import functools
from typing import Any

import numpy as np

from initperf._core.parallel import default_threads, split
from initperf._core.source import Source
from initperf.jit import tuning
from initperf.kernels import KERNELS, team


@functools.cache
def _operations(kernel: str, dtype: np.dtype) -> float:
    """Return the operations of one value, as the kernel's loads state them."""
    load = next(iter(KERNELS[kernel].loads()))
    return load.operations[dtype.name] / load.moved


def fill(kernel: str, out: np.ndarray, source: Source, *parameters: Any) -> None:
    """Fill an array, in C order, with consecutive values of a stream.

    Parameters
    ----------
    kernel : str
        The fill: ``"fill_uniform"``, ``"fill_normal"`` or ``"fill_truncated_normal"``.
    out : numpy.ndarray
        Any shape and layout, float32 or float64; see `initperf._core.arrays.as_output`.
    source : Source
        Source of the values. Both backends give the same bits, with any number of threads.
    *parameters
        What the kernel takes after (out, key, stream, start).
    """
    if out.flags.c_contiguous:
        _fill_flat(kernel, out.reshape(-1), source, parameters)
        return
    done = 0
    access: Any = ["writeonly", "contig"]  # NumPy's stubs do not know "contig"
    pieces: Any = np.nditer(
        out,
        ["external_loop", "buffered", "zerosize_ok"],
        access,
        order="C",
        buffersize=tuning.FILL_BUFFER,
    )
    with pieces:
        for values in pieces:
            _fill_flat(kernel, values, source.at(source.offset + done), parameters)
            done += values.size


def _fill_flat(
    kernel: str, values: np.ndarray, source: Source, parameters: tuple[Any, ...]
) -> None:
    key, stream, first, backend, threads = source
    run = KERNELS[kernel][backend]
    operations = values.size * _operations(kernel, values.dtype)
    if backend == "numpy" or threads == 1 or operations < 2 * tuning.SHARE_OPERATIONS:
        run(values, key, stream, np.uint64(first), *parameters)
        return
    together, start = team(), np.uint64(first)
    large = operations >= tuning.SERIAL_OPERATIONS
    if together.is_hot() or (large and len(together)):
        most = min(threads or default_threads(), int(operations / tuning.SHARE_OPERATIONS))
        if most > 1 and together.fill(run, values, (key, stream, start), parameters, most):
            return
    if large:

        def task(begin: int, end: int) -> None:
            run(values[begin:end], key, stream, np.uint64(first + begin), *parameters)

        split(values.size, tuning.FILL_PIECE, task, threads or default_threads())
    else:
        run(values, key, stream, start, *parameters)
    together.note_end()
