"""From an array as people have it to the contiguous pieces that kernels fill."""

import functools
from typing import Any, NamedTuple

import numpy as np

from initperf._core.arguments import as_backend
from initperf._core.keys import RandomSource, as_index, as_key
from initperf._core.parallel import default_threads, split
from initperf.kernels import KERNELS

_PIECE = 1 << 16
_SERIAL_OPERATIONS = 1.3e7
"""Under so many operations, waking another thread takes longer than it helps, by measurement."""

_BUFFER = 1 << 16


class Source(NamedTuple):
    """Where the values of a draw come from, and how many threads may make them; None: all."""

    key: np.uint64
    stream: np.uint64
    start: int
    threads: int | None


def as_source(
    size: int,
    *,
    rng: RandomSource,
    stream: int = 0,
    offset: int = 0,
    backend: str = "numba",
    threads: int | None = None,
) -> Source:
    """Check where `size` values shall come from; the arguments are those of `fill`.

    Raises
    ------
    TypeError, ValueError
        For what `fill` does not take; a Generator has not been advanced then.
    """
    start, number = int(as_index("offset", offset)), as_index("stream", stream)
    as_index("offset plus the number of values", start + size)
    if threads is not None:
        if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
            raise ValueError(f"threads must be a positive integer, not {threads!r}")
        threads = int(threads)
    serial = as_backend(backend) == "numpy"
    return Source(as_key(rng), number, start, 1 if serial else threads)


@functools.cache
def _operations(kernel: str, dtype: np.dtype) -> float:
    """Return what a value costs, as the kernel's loads count it."""
    load = next(iter(KERNELS[kernel].loads()))
    return load.operations[dtype.name] / load.moved


def fill(
    kernel: str,
    out: np.ndarray,
    *parameters: Any,
    rng: RandomSource,
    stream: int = 0,
    offset: int = 0,
    backend: str = "numba",
    threads: int | None = None,
) -> None:
    """Fill an array with values of a law, in C order, from index `offset` of a stream.

    Parameters
    ----------
    kernel : str
        The fill: ``"fill_uniform"``, ``"fill_normal"`` or ``"fill_truncated_normal"``.
    out : numpy.ndarray
        Any layout, float32 or float64; see `as_output`.
    *parameters
        What the kernel takes after (out, key, stream, start).
    rng : None, int, SeedSequence, BitGenerator or Generator
        See `initperf._core.keys.as_key`.
    stream, offset : int
        The number of the stream and the index of the first value in it.
    backend : str
        ``"numpy"`` or ``"numba"``: the same bits, at another speed.
    threads : int, optional
        The most threads to use; all that this process may, by default.
    """
    run = KERNELS[kernel][as_backend(backend)]
    key, number, start, workers = as_source(
        out.size, rng=rng, stream=stream, offset=offset, backend=backend, threads=threads
    )

    def flat(values: np.ndarray, first: int) -> None:
        if values.size * _operations(kernel, values.dtype) < _SERIAL_OPERATIONS:
            run(values, key, number, np.uint64(first), *parameters)
            return

        def task(begin: int, end: int) -> None:
            run(values[begin:end], key, number, np.uint64(first + begin), *parameters)

        split(values.size, _PIECE, task, workers or default_threads())

    if out.flags.c_contiguous:
        flat(out.reshape(-1), start)
        return
    done = 0
    access: Any = ["writeonly", "contig"]  # NumPy's stubs do not know "contig"
    pieces: Any = np.nditer(
        out,
        ["external_loop", "buffered", "zerosize_ok"],
        access,
        order="C",
        buffersize=_BUFFER,
    )
    with pieces:
        for values in pieces:
            flat(values, start + done)
            done += values.size
