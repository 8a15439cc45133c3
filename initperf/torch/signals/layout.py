"""Arrays of a tensor's elements in the order of memory, and the place of its units in them."""

import math
from collections.abc import Iterator

import numpy as np
import torch

PIECE = 1 << 20
"""Elements that are converted at a time, where a dtype is not one of NumPy's two."""


def measurable(x: torch.Tensor) -> bool:
    """Return whether a tensor holds plain floating-point numbers that can be read."""
    plain = x.layout == torch.strided and not x.is_quantized and x.device.type != "meta"
    return plain and x.is_floating_point() and x.numel() > 0


def dense(x: torch.Tensor, unit_axis: int) -> tuple[torch.Tensor, int]:
    """Return a tensor with its axes in the order of memory, and its axis of units there.

    Parameters
    ----------
    x : torch.Tensor
        Copied where its elements have gaps or overlap, as those of an expanded tensor.
    unit_axis : int
        Axis of units.

    Returns
    -------
    tuple of torch.Tensor and int
        The tensor is contiguous.
    """
    axis = unit_axis % x.ndim if x.ndim else 0
    if x.is_contiguous():
        return x, axis
    order = sorted(range(x.ndim), key=lambda each: (-x.stride(each), each))
    permuted = x.permute(order)
    if permuted.is_contiguous():
        return permuted, order.index(axis)
    return x.contiguous(), axis


def pieces(x: torch.Tensor, axis: int) -> Iterator[np.ndarray]:
    """Visit a contiguous tensor as arrays (rows, units, places) of float32 or float64.

    Parameters
    ----------
    x : torch.Tensor
        Contiguous; float32 and float64 on the CPU are not copied, others a piece at a time.
    axis : int
        Axis of units.
    """
    shape = tuple(x.shape) or (1,)
    units, places = shape[axis], math.prod(shape[axis + 1 :])
    whole = x.detach().reshape(-1, units, places)
    if whole.device.type == "cpu" and whole.dtype in (torch.float32, torch.float64):
        yield whole.numpy()
        return
    rows = max(1, PIECE // (units * places))
    for part in whole.split(rows):
        yield part.to("cpu", torch.float32).numpy()
