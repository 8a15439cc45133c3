"""From an array as people have it to the contiguous pieces that kernels fill."""

import functools
import math
import operator
import sys
from typing import Any, NamedTuple

import numpy as np

from initperf.kernels import BACKENDS, KERNELS
from initperf.parallel import default_threads, split
from initperf.random import RandomSource, as_index, as_key

DTYPES = np.dtype("float32"), np.dtype("float64")

_PIECE = 1 << 16
_SERIAL_OPERATIONS = 1.3e7
"""Under so many operations, waking another thread takes longer than it helps, by measurement."""

_BUFFER = 1 << 16


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Check an element type: float32 or float64.

    Raises
    ------
    ValueError
        For any other.
    """
    found: np.dtype | None
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in DTYPES:
        raise ValueError(f"dtype must be float32 or float64, not {dtype!r}")
    return found


def as_backend(backend: str) -> str:
    """Check the name of a backend.

    Raises
    ------
    ValueError
        For any that is not ``"numpy"`` or ``"numba"``.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be 'numpy' or 'numba', not {backend!r}")
    return backend


def as_shape(shape: Any) -> tuple[int, ...]:
    """Check a shape: an integer or a sequence of them, none negative, that fits in memory.

    Raises
    ------
    TypeError
        For anything that is no integer nor a sequence of them.
    ValueError
        For a negative length, or more elements than an array can have.
    """
    try:
        lengths = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        checked = tuple(map(operator.index, lengths))
    except TypeError:
        raise TypeError(f"shape must be integers, not {shape!r}") from None
    if bool in map(type, lengths):
        raise TypeError(f"shape must be integers, not {shape!r}")
    if min(checked, default=0) < 0:
        raise ValueError(f"shape must not have negative lengths: {shape!r}")
    if math.prod(checked) > sys.maxsize // 8:
        raise ValueError(f"shape has more elements than an array can hold: {shape!r}")
    return checked


def as_output(out: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Check an array to be filled and return it as NumPy sees it, sharing its memory.

    Parameters
    ----------
    out : array
        A NumPy array, or anything whose ``__array__`` or buffer gives a writable view of it,
        such as a CPU tensor of PyTorch. Any memory layout whose elements do not overlap will do.
    shape : tuple of int
        The shape it must have.

    Raises
    ------
    TypeError
        When `out` gives no array that shares its memory.
    ValueError
        When shape or dtype do not fit, or it cannot be written, or its elements overlap.
    """
    source = out
    try:
        if not isinstance(out, np.ndarray):
            source = out.detach() if hasattr(out, "detach") else memoryview(out)
        view = np.asarray(source)
    except (TypeError, RuntimeError, BufferError) as error:
        raise TypeError(
            f"out must give a writable NumPy view, and {type(out).__name__} does not: {error}"
        ) from None
    if view.shape != shape:
        raise ValueError(f"out must have shape {shape}, not {view.shape}")
    as_dtype(view.dtype)
    check_layout(view)
    return view


def check_layout(view: np.ndarray) -> None:
    """Check that an array can be written, and each of its elements apart from the others.

    Raises
    ------
    ValueError
        When it cannot.
    """
    flags = view.flags
    if not flags.writeable:
        raise ValueError("out must be writable")
    if not flags.aligned:
        raise ValueError("out must be aligned to its element size")
    if flags.c_contiguous:
        return
    reach = view.itemsize
    axes = zip(view.strides, view.shape, strict=True) if view.size else ()
    for stride, length in sorted((abs(step), length) for step, length in axes if length > 1):
        if stride < reach:
            raise ValueError("out must not have elements that share memory, nor interleaved axes")
        reach += stride * (length - 1)


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
        See `initperf.random.as_key`.
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
