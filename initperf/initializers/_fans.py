"""Fan-in and fan-out of a weight."""

import math
from typing import Any

from initperf.filling import as_shape


def fans(shape: Any, in_axis: int = -2, out_axis: int = -1) -> tuple[int, int]:
    """Return how many inputs each output sums over, and how many outputs each input feeds.

    Parameters
    ----------
    shape : tuple of int
        Shape of the weight, at least two axes, no length 0.
    in_axis, out_axis : int
        Its input and output axes; the product of all others, a convolution's receptive field,
        multiplies both fans.

    Returns
    -------
    tuple of int
        (fan_in, fan_out)

    Raises
    ------
    ValueError
        For fewer than two axes, an empty weight, or axes that are not two of its own.
    """
    shape = as_shape(shape)
    if len(shape) < 2:
        raise ValueError(
            f"fan-in and fan-out need a shape of at least two axes, (fan_in, fan_out), not {shape}"
        )
    if 0 in shape:
        raise ValueError(f"fan-in and fan-out must be positive, and {shape} has a length 0")
    axes = []
    for name, axis in (("in_axis", in_axis), ("out_axis", out_axis)):
        if not -len(shape) <= axis < len(shape):
            raise ValueError(f"{name} must be an axis of a weight of shape {shape}, not {axis}")
        axes.append(axis % len(shape))
    if axes[0] == axes[1]:
        raise ValueError(f"in_axis and out_axis must differ, and both are axis {axes[0]}")
    field = math.prod(shape) // (shape[axes[0]] * shape[axes[1]])
    return shape[axes[0]] * field, shape[axes[1]] * field
