"""Statistics of one tensor."""

import math

import numpy as np
import torch

from initperf.kernels import KERNELS
from initperf.kernels.signal_statistics import SignalSums, magnitude_limits, signal_sums
from initperf.torch.signals.layout import dense, pieces
from initperf.torch.signals.samples import likeness
from initperf.torch.signals.statistics import Statistics

_TELLING = 96.0
"""Bits of precision in the elements of a unit: with fewer, units may be equal by rounding."""


def measure(
    x: torch.Tensor,
    *,
    unit_axis: int = -1,
    samples: int = 1,
    saturated: float = math.nan,
    units: bool = True,
) -> Statistics:
    """Return the statistics of a floating-point tensor with elements.

    Elements are read once, and samples once more; nothing of float32 or float64 is copied that is
    dense in memory.

    Parameters
    ----------
    x : torch.Tensor
        Plain, with at least one element.
    unit_axis : int
        Axis of units or channels.
    samples : int
        Number of samples that lie along the first axis.
    saturated : float
        Share of saturated elements, which depends on an activation's input.
    units : bool
        Whether to look at units: not of gradients.
    """
    x = x.detach()
    ordered, axis = dense(x, unit_axis)
    length = ordered.shape[axis] if ordered.ndim else 1
    written = signal_sums(length if units else 0)
    kernel = KERNELS["signal_statistics"]["numba"]
    first, limits = 0, np.zeros(0)
    for values in pieces(ordered, axis):
        limits = magnitude_limits(values.dtype)
        kernel(values, values.view(limits.dtype), limits, first, written)
        first += len(values)
    largest = _largest(written, limits)
    alike = likeness(x, samples, largest)
    count = x.numel()
    mean, second, kurtosis = _moments(written.sums / count)
    shares = written.counts / count
    dead, duplicates = _units(written, count, x.dtype) if units else (math.nan, math.nan)
    return Statistics(
        elements=count,
        dtype=str(x.dtype).removeprefix("torch."),
        mean=mean,
        second_moment=second,
        kurtosis=kurtosis,
        zeros=float(shares[0]),
        nonfinite=float(shares[1]),
        largest=largest,
        range_share=largest / torch.finfo(x.dtype).max,
        fp16_overflow=float(shares[2]),
        fp16_underflow=float(shares[3]),
        bf16_overflow=float(shares[4]),
        bf16_underflow=float(shares[5]),
        dead=dead,
        duplicates=duplicates,
        saturated=saturated,
        cosine=alike.cosine,
        highest_cosine=alike.highest,
        rank=alike.rank,
    )


def _largest(written: SignalSums, limits: np.ndarray) -> float:
    """Return the number whose bits are the largest magnitude."""
    bits = written.counts[6].astype(limits.dtype)
    return float(bits.view(f"f{limits.dtype.itemsize}"))


def _moments(averages: np.ndarray) -> tuple[float, float, float]:
    """Return mean, second moment and kurtosis from the averages of x, x², x³ and x⁴."""
    one, two, three, four = (float(each) for each in averages)
    variance = two - one * one
    # below it the difference is the rounding of its two terms
    if not variance > 1e-12 * two:
        return one, two, math.nan
    fourth = four - 4.0 * one * three + 6.0 * one * one * two - 3.0 * one**4
    return one, two, fourth / variance**2


def _units(written: SignalSums, elements: int, dtype: torch.dtype) -> tuple[float, float]:
    """Return the shares of dead units, and of live ones that equal an earlier one."""
    live = written.live > 0
    count, alive = len(live), int(np.count_nonzero(live))
    precision = 1.0 - math.log2(torch.finfo(dtype).eps)
    if precision * elements / count < _TELLING:
        return 1.0 - alive / count, math.nan
    marks = np.unique(written.marks[live])
    return 1.0 - alive / count, (alive - len(marks)) / count
