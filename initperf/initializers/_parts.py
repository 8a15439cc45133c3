"""Draws of rectangular parts of a weight, equal to the bit to the same part of the whole.

The value at flat index *i* of a weight depends on the key, the stream and *i* alone, so a part is
drawn by drawing each of its rows from the index at which that row begins in the whole. Nothing
else of the whole is drawn.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf._core.arrays import as_dtype, as_output, as_shape
from initperf._core.keys import RandomSource
from initperf._core.parallel import default_threads, split
from initperf._core.source import Source
from initperf.initializers._distributions import Distribution, Normal, TruncatedNormal, Uniform
from initperf.initializers._initializer import Independent, Initializer
from initperf.initializers._rounding import caps
from initperf.initializers.clipped_normal import Clipped
from initperf.jit import tuning
from initperf.kernels import KERNELS
from initperf.kernels.fill_truncated_normal import masses

FORMATS = ("float32", "float64", "bfloat16", "float16")
"""Number formats in which a part can be stored."""


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
    """Return the part of a shape that slices cut out, checked.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the whole weight.
    part : slice or tuple of slice
        Slices of step 1, one an axis; axes that are left out are taken whole.

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
    """Storage of drawn values in a number format.

    Attributes
    ----------
    format : str
        One of `FORMATS`; the last two are the bits of the float32 values, rounded to the nearest
        that is no further out than the distribution's bounds, as uint16.
    """

    format: str = "float32"

    @property
    def exact(self) -> str:
        """Return the dtype in which values are drawn, before rounding."""
        return "float64" if self.format == "float64" else "float32"

    @property
    def rounded(self) -> bool:
        """Return whether values are rounded to two bytes."""
        return self.format in FORMATS[2:]

    def put(self, values: np.ndarray, target: np.ndarray, backend: str = "numba") -> None:
        """Write drawn values to an array.

        Parameters
        ----------
        values : numpy.ndarray
            Contiguous, of the dtype `exact`.
        target : numpy.ndarray
            Written, in C order; as many elements as `values`, any strides, of the format.
        backend : str
            ``"numba"`` or ``"numpy"``.
        """
        if not self.rounded:
            target[...] = values.reshape(target.shape)
            return
        direct = target.flags.c_contiguous
        bits = target.reshape(-1) if direct else np.empty(values.size, np.uint16)
        KERNELS["narrow"][backend](values.reshape(-1), bits, self.format == "bfloat16")
        if not direct:
            target[...] = bits.reshape(target.shape)


def fill_part(
    distribution: Distribution, out: np.ndarray, part: Part, source: Source, store: Store
) -> None:
    """Fill an array with a part of a weight whose entries are independent.

    Parameters
    ----------
    distribution : Distribution
        Distribution of an entry, checked against the dtype ``store.exact``.
    out : numpy.ndarray
        Shape ``part.lengths``, any strides, of the store's format.
    part : Part
        The rectangle.
    source : Source
        Source of the whole weight, from its first value on.
    store : Store
        Format of `out`.
    """
    if out.size == 0:
        return
    axis = _run_axis(part)
    strides = [math.prod(part.shape[i + 1 :]) for i in range(len(part.shape))]
    first = sum(start * stride for start, stride in zip(part.start, strides, strict=True))
    rows_axis = max(axis - 1, 0)
    for index in np.ndindex(part.lengths[:rows_axis]):
        above = zip(index, strides, strict=False)
        here = source.at(first + sum(i * stride for i, stride in above))
        view = out[index] if index else out
        rows = view.reshape(-1) if view.flags.c_contiguous and axis == 0 else view
        run = rows[:1].size
        pitch = strides[rows_axis] if axis else run
        if run == pitch and not store.rounded:
            distribution.fill(rows, here)
        else:
            _fill_blocks(distribution, rows, pitch, here, store)


def _run_axis(part: Part) -> int:
    """Return the first axis whose successors are all taken whole: from it on, memory is one run."""
    axis = len(part.shape) - 1
    while axis > 0 and part.lengths[axis] == part.shape[axis]:
        axis -= 1
    return max(axis, 0)


def _fill_blocks(
    distribution: Distribution, rows: np.ndarray, pitch: int, source: Source, store: Store
) -> None:
    """Fill rows that begin `pitch` values apart, a block of a cache's size at a time."""
    limits = caps(distribution.support, store.format) if store.rounded else None
    run = rows[:1].size
    step = max(1, tuning.NARROW_BLOCK // run)

    def task(start: int, stop: int) -> None:
        values = np.empty((min(step, stop - start), run), store.exact)
        for low in range(start, stop, step):
            target = rows[low : min(low + step, stop)]
            drawn = values[: len(target)]
            direct = not store.rounded and target.flags.c_contiguous
            place = target.reshape(drawn.shape) if direct else drawn
            here = source.at(source.offset + low * pitch)._replace(threads=1)
            _fill_rows(distribution, place, pitch, here)
            if limits is not None:
                np.clip(drawn, *limits, out=drawn)
            if not direct:
                store.put(drawn, target, source.backend)

    threads = 1 if source.backend == "numpy" else source.threads or default_threads()
    split(len(rows), step, task, threads)


def _fill_rows(distribution: Distribution, out: np.ndarray, pitch: int, source: Source) -> None:
    """Fill the rows of a C-contiguous matrix from indices that are `pitch` values apart."""
    if pitch == out.shape[1]:
        distribution.fill(out.reshape(-1), source)
        return
    plain = distribution
    if isinstance(distribution, Clipped):
        plain = Normal(distribution.location, distribution.scale)
    found = _kernel(plain)
    if found is None:
        for i, row in enumerate(out):
            distribution.fill(row, source.at(source.offset + i * pitch))
        return
    kernel, parameters = found
    first, spacing = np.uint64(source.offset), np.uint64(pitch)
    fill_rows = KERNELS[kernel][source.backend]
    fill_rows(out, source.key, source.stream, first, spacing, *parameters)
    if isinstance(distribution, Clipped):
        np.clip(out, distribution.low, distribution.high, out=out)


@functools.singledispatch
def _kernel(distribution: Any) -> tuple[str, tuple[float, ...]] | None:
    """Return the kernel that fills rows from a distribution, and its parameters."""
    return None


@_kernel.register
def _(distribution: Uniform) -> tuple[str, tuple[float, ...]]:
    return "fill_uniform_rows", (distribution.low, distribution.high)


@_kernel.register
def _(distribution: Normal) -> tuple[str, tuple[float, ...]]:
    return "fill_normal_rows", (distribution.mean, distribution.std)


@_kernel.register
def _(distribution: TruncatedNormal) -> tuple[str, tuple[float, ...]]:
    location, scale = distribution.location, distribution.scale
    low, high = distribution.low, distribution.high
    rest = masses((low - location) / scale, (high - location) / scale)
    return "fill_truncated_normal_rows", (location, scale, low, high, *rest)


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
    """Draw a rectangular part of a weight.

    A rule whose entries depend on one another, such as ``orthogonal``, draws the whole weight
    and keeps the part: that costs the time and the memory of the whole.

    Parameters
    ----------
    rule : Initializer
        The rule.
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

    Notes
    -----
    There are nine parameters, because all keywords of `Initializer.__call__` but `offset` mean the
    same here, and are passed on as they were given.
    """
    cut = as_part(shape, part)
    if out is None:
        array = result = np.empty(cut.lengths, as_dtype("float32" if dtype is None else dtype))
    else:
        array, result = as_output(out, cut.lengths), out
        if dtype is not None and as_dtype(dtype) != array.dtype:
            raise ValueError(f"dtype is {dtype!r}, but out holds {array.dtype}")
    drawn = array if isinstance(rule, Independent) else np.empty(cut.shape, array.dtype)
    if isinstance(rule, Independent):
        distribution = rule.distribution_of(cut.shape)
        distribution.check(array.dtype)
    else:
        filler = rule.filler(drawn)
    source = Source.checked(
        math.prod(cut.shape), rng=rng, stream=stream, backend=backend, threads=threads
    )
    if isinstance(rule, Independent):
        fill_part(distribution, array, cut, source, Store(array.dtype.name))
    else:
        filler(drawn, source)
        array[...] = drawn[cut.slices]
    return result
