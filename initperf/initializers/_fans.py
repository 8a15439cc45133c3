"""Fan-in and fan-out of a weight."""

import math
import operator
from typing import Any

from initperf._core.arguments import shown
from initperf._core.arrays import as_shape

Axes = int | tuple[int, ...]


def as_axes(name: str, value: Any) -> Axes:
    """Return axes as an int or a tuple of them, checked.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : int, or tuple or list of int
        The axes.

    Raises
    ------
    ValueError
        For anything else.
    """
    axes = value if isinstance(value, (tuple, list)) else (value,)
    try:
        if any(isinstance(axis, bool) for axis in axes):
            raise TypeError
        checked = tuple(map(operator.index, axes))
    except TypeError:
        raise ValueError(
            f"{name} must be an integer or a tuple of them, not {shown(value)}"
        ) from None
    return checked if axes is value else checked[0]


def fans(
    shape: Any, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()
) -> tuple[int, int]:
    """Return the number of inputs that each output sums over, and of outputs that each input feeds.

    Parameters
    ----------
    shape : tuple of int
        Shape of the weight, at least two axes, no length 0.
    in_axis, out_axis : int or tuple of int
        Its input and output axes; the length of all others, a convolution's receptive field,
        multiplies both fans.
    batch_axis : int or tuple of int
        Axes that number separate weights, as in a layer of experts: they count for no fan.

    Returns
    -------
    tuple of int
        (fan_in, fan_out)

    Raises
    ------
    ValueError
        For fewer than two axes, an empty weight, or axes that it does not have or that coincide.
    """
    shape = as_shape(shape)
    plain = in_axis == -2 and out_axis == -1 and batch_axis == ()
    if plain and len(shape) == 2 and 0 not in shape:  # the usual case, ten times as fast
        return shape[0], shape[1]
    if len(shape) < 2:
        raise ValueError(
            f"fan-in and fan-out need a shape of at least two axes, (fan_in, fan_out), not {shape}"
        )
    if 0 in shape:
        raise ValueError(f"fan-in and fan-out must be positive, and {shape} has a length 0")
    role: dict[int, str] = {}
    lengths = []
    for name, axes in (("in_axis", in_axis), ("out_axis", out_axis), ("batch_axis", batch_axis)):
        product = 1
        for axis in (axes,) if isinstance(axes, int) else axes:
            if not -len(shape) <= axis < len(shape):
                raise ValueError(f"{name} must be an axis of a weight of shape {shape}, not {axis}")
            position = axis % len(shape)
            if position in role:
                raise ValueError(
                    f"{role[position]} and {name} must differ, and both are axis {position}"
                )
            role[position] = name
            product *= shape[position]
        lengths.append(product)
    inputs, outputs, batch = lengths
    field = math.prod(shape) // (inputs * outputs * batch)
    return inputs * field, outputs * field
