"""Moments, counts of magnitudes, and live and equal units of a signal, in one pass.

Magnitudes are compared as integers: those of IEEE numbers without their sign have the same order.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from initperf.jit.policy import jit_sums
from initperf.kernels._kernel import Case, register
from initperf.kernels._load import Load, both

_CHUNK = 1024  # 8 KiB at most, which the second and the third loop find in the nearest cache
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, mixed bits
_HALF = np.uint64(32)


class SignalSums(NamedTuple):
    """Sums and counts, to which `signal_statistics` adds.

    Attributes
    ----------
    sums : numpy.ndarray
        (4,) float64, of x, x², x³ and x⁴.
    counts : numpy.ndarray
        (7,) int64: zeros; what is not finite; what overflows and underflows in float16, then in
        bfloat16; and the largest magnitude as an integer.
    live : numpy.ndarray
        (units,) int64, counts of what is not 0; empty for no units.
    marks : numpy.ndarray
        (units,) uint64, sums of the values' bits times weights that depend on their place: equal
        for equal units; empty for no units.
    """

    sums: np.ndarray
    counts: np.ndarray
    live: np.ndarray
    marks: np.ndarray


def signal_sums(units: int) -> SignalSums:
    """Return zeros that `signal_statistics` adds to; without units, for moments and counts only."""
    marks = np.zeros(units, np.uint64)
    return SignalSums(np.zeros(4), np.zeros(7, np.int64), np.zeros(units, np.int64), marks)


def signal_statistics_reference(
    values: np.ndarray, bits: np.ndarray, limits: np.ndarray, first: int, written: SignalSums
) -> None:
    """Add the statistics of an array to those that were taken before.

    Parameters
    ----------
    values : numpy.ndarray
        (rows, units, places), float32 or float64, C-contiguous.
    bits : numpy.ndarray
        The same memory as uint32 or uint64.
    limits : numpy.ndarray
        (6,) of the dtype of `bits`; see `magnitude_limits`.
    first : int
        Number of rows that were taken before.
    written : SignalSums
        Added to; live and marks are left out where they are empty.
    """
    sums, counts, live, marks = written
    exact = values.astype(np.float64).ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        for power in range(4):
            sums[power] += np.sum(exact ** (power + 1))
    mask, infinity, over16, under16, over_brain, under_brain = limits
    magnitude = bits & mask
    finite = magnitude < infinity
    counts[0] += np.count_nonzero(magnitude == 0)
    counts[1] += np.count_nonzero(~finite)
    counts[2] += np.count_nonzero(finite & (magnitude >= over16))
    counts[3] += np.count_nonzero((magnitude > 0) & (magnitude <= under16))
    counts[4] += np.count_nonzero(finite & (magnitude >= over_brain))
    counts[5] += np.count_nonzero((magnitude > 0) & (magnitude <= under_brain))
    counts[6] = max(counts[6], int(magnitude.max(initial=0)))
    if live.size:
        live += np.count_nonzero(magnitude, axis=(0, 2))
        rows, _, places = values.shape
        index = np.arange(first * places, (first + rows) * places, dtype=np.uint64)
        weights = _mixed(index).reshape(rows, 1, places)
        marks += np.sum(bits.astype(np.uint64) * weights, axis=(0, 2), dtype=np.uint64)


def _mixed(index: np.ndarray) -> np.ndarray:
    """Return a weight of mixed bits for each place."""
    mixed = (index + np.uint64(1)) * _FIRST
    return (mixed ^ (mixed >> _HALF)) * _SECOND


@jit_sums
def signal_statistics(
    values: np.ndarray, bits: np.ndarray, limits: np.ndarray, first: int, written: SignalSums
) -> None:
    """Add the statistics of an array to those that were taken before; see the reference."""
    sums, counts, live, marks = written.sums, written.counts, written.live, written.marks
    flat, whole = values.reshape(-1), bits.reshape(-1)
    mask, infinity = limits[0], limits[1]
    over16, under16, over_brain, under_brain = limits[2], limits[3], limits[4], limits[5]
    for begin in range(0, flat.size, _CHUNK):
        part = flat[begin : begin + _CHUNK]
        one = two = three = four = 0.0
        for i in range(part.size):
            x = np.float64(part[i])
            square = x * x
            one += x
            two += square
            three += square * x
            four += square * square
        sums[0] += one
        sums[1] += two
        sums[2] += three
        sums[3] += four
        words = whole[begin : begin + _CHUNK]
        largest = mask ^ mask
        zeros = finite = high16 = low16 = high_brain = low_brain = 0
        for i in range(words.size):
            magnitude = words[i] & mask
            largest = max(largest, magnitude)
            zeros += magnitude == 0
            finite += magnitude < infinity
            high16 += magnitude >= over16
            low16 += magnitude <= under16
            high_brain += magnitude >= over_brain
            low_brain += magnitude <= under_brain
        other = words.size - finite
        counts[0] += zeros
        counts[1] += other
        counts[2] += high16 - other
        counts[3] += low16 - zeros
        counts[4] += high_brain - other
        counts[5] += low_brain - zeros
        counts[6] = max(counts[6], np.int64(largest))
    if live.size == 0:
        return
    rows, units, places = values.shape
    for row in range(rows):
        if places == 1:
            mixed = np.uint64(first + row + 1) * _FIRST
            weight = (mixed ^ (mixed >> _HALF)) * _SECOND
            for unit in range(units):
                word = bits[row, unit, 0]
                live[unit] += (word & mask) != 0
                marks[unit] += np.uint64(word) * weight
        else:
            start = np.uint64((first + row) * places + 1)
            for unit in range(units):
                count = 0
                mark = np.uint64(0)
                for place in range(places):
                    mixed = (start + np.uint64(place)) * _FIRST
                    weight = (mixed ^ (mixed >> _HALF)) * _SECOND
                    word = bits[row, unit, place]
                    count += (word & mask) != 0
                    mark += np.uint64(word) * weight
                live[unit] += count
                marks[unit] += mark


def magnitude_limits(dtype: Any) -> np.ndarray:
    """Return the limits that `signal_statistics` counts by, as integers.

    The mask of a magnitude; infinity; from where float16 overflows, and up to where it underflows;
    the same of bfloat16. A number rounds to infinity from the middle between the largest one and
    the next power of two on, and to 0 up to half of the smallest subnormal number, the tie being
    even.

    Parameters
    ----------
    dtype : dtype
        float32 or float64.
    """
    found = np.array(
        [0.0, np.inf, 65520.0, 2.0**-25, 2.0**128 - 2.0**119, 2.0**-134], np.dtype(dtype)
    ).view(f"u{np.dtype(dtype).itemsize}")
    found[0] = np.iinfo(found.dtype).max >> 1
    return found


def _cases() -> Iterator[Case]:
    for dtype in ("float32", "float64"):
        for shape in ((0, 3, 1), (1, 1, 1), (5, 7, 1), (3, 4, 9), (2, 1025, 3), (40, 33, 1)):
            for units in (0, shape[1]):

                def arguments(
                    dtype: str = dtype, shape: tuple[int, ...] = shape, units: int = units
                ) -> tuple[Any, ...]:
                    rng = np.random.default_rng(shape[0])
                    values = rng.standard_normal(shape).astype(dtype)
                    values *= np.exp2(rng.integers(-40, 25, shape)).astype(dtype)
                    values[rng.random(shape) < 0.2] = 0.0
                    if units > 1:
                        values[:, 1] = values[:, 0]
                    limits = magnitude_limits(dtype)
                    bits = values.view(limits.dtype)
                    return values, bits, limits, 11, signal_sums(units)

                # products of float64 round to 2^-53; a chunk is summed in eight lanes or more
                chunks = -(-int(np.prod(shape)) // _CHUNK)
                tolerance = (_CHUNK / 8 + chunks + 4) * 2.0**-53
                label = f"{dtype}-{'x'.join(map(str, shape))}-{units}"
                places = tuple((4, name) for name in SignalSums._fields)
                yield Case(label, arguments, writes=places, tolerance=tolerance)


def _loads() -> Iterator[Load]:
    for shape in ((1024, 3072, 1), (8, 64, 3136)):

        def arguments(dtype: str, shape: tuple[int, ...] = shape) -> tuple[Any, ...]:
            values = np.random.default_rng(0).standard_normal(shape).astype(dtype)
            limits = magnitude_limits(dtype)
            return values, values.view(limits.dtype), limits, 0, signal_sums(shape[1])

        size = int(np.prod(shape))
        # three products and four sums; seven comparisons or sums of each; a product and two sums
        label = " x ".join(map(str, shape))
        yield Load(label, arguments, both(24 * size), size)


register(
    "signal_statistics",
    numpy=signal_statistics_reference,
    numba=signal_statistics,
    cases=_cases,
    loads=_loads,
)
