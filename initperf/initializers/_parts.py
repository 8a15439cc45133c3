"""Rectangular parts of a weight, equal to the bit to the same part of the whole.

The value at flat index *i* of a weight depends on the key, the stream and *i* alone, so a part is
drawn by drawing its rows from where they begin in the whole. Nothing else of the whole is drawn.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arguments import as_backend, as_dtype, as_output, as_shape
from initperf._core.keys import Key, RandomSource, as_key
from initperf._core.parallel import default_threads, split
from initperf.initializers._initializer import Independent, Initializer
from initperf.initializers._law import Law, Normal, TruncatedNormal, Uniform
from initperf.initializers.clipped_normal import Clipped
from initperf.kernels import KERNELS
from initperf.kernels.fill_truncated_normal import masses

_BLOCK = 1 << 17
"""Values drawn at a time: few enough for a cache, and long next to a turn at Python's lock."""

FORMATS = ("float32", "float64", "bfloat16", "float16")


@dataclass(frozen=True)
class Part:
    """A rectangle of a weight.

    Attributes
    ----------
    shape : tuple of int
        Shape of the whole weight.
    start, lengths : tuple of int
        First index and number of indices along each axis.
    """

    shape: tuple[int, ...]
    start: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """Return the slices that cut the part out of the whole."""
        pairs = zip(self.start, self.lengths, strict=True)
        return tuple(slice(first, first + length) for first, length in pairs)


def whole(shape: tuple[int, ...]) -> Part:
    """Return the part that is all of a weight."""
    return Part(shape, (0,) * len(shape), shape)


def as_part(shape: Any, part: Any) -> Part:
    """Check a part: slices of step 1, one an axis; axes that are left out are taken whole.

    Raises
    ------
    TypeError, ValueError
        For anything but such slices.
    """
    lengths = as_shape(shape)
    slices = tuple(part) if isinstance(part, (tuple, list)) else (part,)
    if len(slices) > len(lengths):
        raise ValueError(f"part must have at most one slice for each axis of {lengths}: {part!r}")
    ranges = []
    for axis, length in enumerate(lengths):
        piece = slices[axis] if axis < len(slices) else slice(None)
        if not isinstance(piece, slice):
            raise TypeError(f"part must be slices, one an axis, not {part!r}")
        if piece.step not in (None, 1):
            raise ValueError(f"the slices of part must have step 1, not {part!r}")
        ranges.append(range(length)[piece])
    return Part(lengths, tuple(r.start for r in ranges), tuple(map(len, ranges)))


@dataclass(frozen=True)
class Store:
    """How drawn values are kept.

    Attributes
    ----------
    format : str
        One of `FORMATS`; the last two are the bits of the float32 values, rounded to the nearest,
        as uint16.
    backend : str
        ``"numba"`` or ``"numpy"``.
    threads : int, optional
        The most threads to use; all that this process may, by default.
    """

    format: str = "float32"
    backend: str = "numba"
    threads: int | None = None

    @property
    def exact(self) -> str:
        """Return the dtype in which values are drawn, before rounding."""
        return "float64" if self.format == "float64" else "float32"

    @property
    def rounded(self) -> bool:
        """Return whether values are rounded to two bytes."""
        return self.format in FORMATS[2:]

    def put(self, values: np.ndarray, target: np.ndarray) -> None:
        """Write drawn values, C order, to a target of the same number of elements."""
        if not self.rounded:
            target[...] = values.reshape(target.shape)
            return
        direct = target.flags.c_contiguous
        bits = target.reshape(-1) if direct else np.empty(values.size, np.uint16)
        KERNELS["narrow"][self.backend](values.reshape(-1), bits, self.format == "bfloat16")
        if not direct:
            target[...] = bits.reshape(target.shape)


def fill_part(law: Law, out: np.ndarray, part: Part, key: Key, stream: int, store: Store) -> None:
    """Fill an array with a part of a weight whose entries are independent.

    Parameters
    ----------
    law : Law
        Distribution of an entry.
    out : numpy.ndarray
        Shape ``part.lengths``, any strides, of the dtype that `store` keeps.
    part : Part
    key : Key
    stream : int
        Number of the stream of the whole weight.
    store : Store

    Raises
    ------
    ValueError
        When the dtype cannot hold the values; nothing has been written then.
    """
    source = {"rng": key, "stream": stream, "backend": store.backend}
    law.fill(np.empty(0, store.exact), **source)  # checks the range of the values
    if out.size == 0:
        return
    axis = _run_axis(part)
    strides = [math.prod(part.shape[i + 1 :]) for i in range(len(part.shape))]
    first = sum(start * stride for start, stride in zip(part.start, strides, strict=True))
    rows_axis = max(axis - 1, 0)
    for index in np.ndindex(part.lengths[:rows_axis]):
        above = zip(index, strides, strict=False)
        begin = first + sum(i * stride for i, stride in above)
        view = out[index] if index else out
        rows = view.reshape(-1) if view.flags.c_contiguous and axis == 0 else view
        run = rows[:1].size
        pitch = strides[rows_axis] if axis else run
        if run == pitch and not store.rounded:
            law.fill(rows, offset=begin, threads=store.threads, **source)
        else:
            _fill_blocks(law, rows, (begin, pitch), source, store)


def _run_axis(part: Part) -> int:
    """Return the first axis whose successors are all taken whole: from it on, memory is one run."""
    axis = len(part.shape) - 1
    while axis > 0 and part.lengths[axis] == part.shape[axis]:
        axis -= 1
    return max(axis, 0)


def _fill_blocks(
    law: Law, rows: np.ndarray, place: tuple[int, int], source: dict[str, Any], store: Store
) -> None:
    """Fill rows that begin `place[1]` values apart, from index `place[0]`, a block at a time."""
    begin, pitch = place
    run = rows[:1].size
    step = max(1, _BLOCK // run)

    def task(start: int, stop: int) -> None:
        values = np.empty((min(step, stop - start), run), store.exact)
        for low in range(start, stop, step):
            target = rows[low : min(low + step, stop)]
            drawn = values[: len(target)]
            direct = not store.rounded and target.flags.c_contiguous
            place = target.reshape(drawn.shape) if direct else drawn
            _fill_rows(law, place, begin + low * pitch, pitch, source)
            if not direct:
                store.put(drawn, target)

    threads = 1 if store.backend == "numpy" else store.threads or default_threads()
    split(len(rows), step, task, threads)


def _fill_rows(law: Law, out: np.ndarray, first: int, pitch: int, source: dict[str, Any]) -> None:
    """Fill the rows of a C-contiguous matrix from indices first, first + pitch, ..."""
    if pitch == out.shape[1]:
        law.fill(out.reshape(-1), offset=first, threads=1, **source)
        return
    normal = Normal(law.location, law.scale) if isinstance(law, Clipped) else law
    found = _kernel(normal)
    if found is None:
        for i, row in enumerate(out):
            law.fill(row, offset=first + i * pitch, threads=1, **source)
        return
    kernel, parameters = found
    numbers = source["rng"].value, np.uint64(source["stream"]), np.uint64(first), np.uint64(pitch)
    KERNELS[kernel][source["backend"]](out, *numbers, *parameters)
    if isinstance(law, Clipped):
        np.clip(out, law.low, law.high, out=out)


@functools.singledispatch
def _kernel(law: Any) -> tuple[str, tuple[float, ...]] | None:
    """Return the kernel that fills rows from a distribution, and its parameters."""
    return None


@_kernel.register
def _(law: Uniform) -> tuple[str, tuple[float, ...]]:
    return "fill_uniform_rows", (law.low, law.high)


@_kernel.register
def _(law: Normal) -> tuple[str, tuple[float, ...]]:
    return "fill_normal_rows", (law.mean, law.std)


@_kernel.register
def _(law: TruncatedNormal) -> tuple[str, tuple[float, ...]]:
    bounds = [(bound - law.location) / law.scale for bound in (law.low, law.high)]
    return "fill_truncated_normal_rows", (
        law.location,
        law.scale,
        law.low,
        law.high,
        *masses(*bounds),
    )


def draw_part(
    rule: Initializer,
    shape: Any,
    part: Any,
    *,
    rng: RandomSource = None,
    dtype: Any = None,
    out: Any = None,
    backend: str = "numba",
    stream: int = 0,
    threads: int | None = None,
) -> Any:
    """Draw a rectangular part of a weight; the parameters are those of `Initializer.__call__`.

    A rule whose entries depend on one another, such as ``orthogonal``, draws the whole weight
    and keeps the part: that costs the time and the memory of the whole.

    Parameters
    ----------
    rule : Initializer
    shape : int or tuple of int
        Shape of the whole weight.
    part : slice or tuple of slice
        Slices of step 1; axes that are left out are taken whole.
    rng, dtype, out, backend, stream, threads
        As `Initializer.__call__` takes them; `out` has the shape of the part.

    Raises
    ------
    TypeError, ValueError
        For what cannot be drawn; nothing has been written then.
    """
    cut = as_part(shape, part)
    if out is None:
        array = result = np.empty(cut.lengths, as_dtype("float32" if dtype is None else dtype))
    else:
        array, result = as_output(out, cut.lengths), out
        if dtype is not None and as_dtype(dtype) != array.dtype:
            raise ValueError(f"dtype is {dtype!r}, but out holds {array.dtype}")
    as_backend(backend)
    if isinstance(rule, Independent):
        law = rule.law(cut.shape)
        law.fill(np.empty(0, array.dtype), rng=0, stream=stream, threads=threads)
        store = Store(array.dtype.name, backend, threads)
        fill_part(law, array, cut, Key(as_key(rng)), stream, store)
    else:
        drawn = rule(
            cut.shape, rng=rng, dtype=array.dtype, backend=backend, stream=stream, threads=threads
        )
        array[...] = drawn[cut.slices]
    return result
