"""Arrays with derivatives along one or two directions, for gradients of gradients by hand.

A Taylor array is a list of 1, 2 or 4 arrays: the value, its derivative along the first direction,
along the second, and along both, ∂²/∂s∂t of x(s, t) at 0. None stands for an array of zeros. These
are hyper-dual numbers (Fike & Alonso, "The development of hyper-dual numbers for exact second-
derivative calculations", AIAA 2011); a gradient computed with them carries Pearlmutter's product of
the Hessian and a vector (Neural Computation 6, 1994), and third derivatives.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from initperf.activations import Activation

Taylor: TypeAlias = list[Any]
"""Arrays or None, by place: bit 0 of it says the first direction, bit 1 the second."""

_STEP = 1e-5  # second derivative: an error of 1e-10 from truncation and as much from rounding
_WIDE_STEP = 2e-4  # third derivative: of 1e-7


def plus(a: Taylor, b: Taylor) -> Taylor:
    """Return the sum of two Taylor arrays.

    Parameters
    ----------
    a, b : Taylor
        Of shapes that broadcast, and the same length.
    """
    pairs = zip(a, b, strict=True)
    return [y if x is None else x if y is None else x + y for x, y in pairs]


def product(a: Taylor, b: Taylor, multiply: Callable[[Any, Any], Any]) -> Taylor:
    """Return a bilinear product of two Taylor arrays.

    Parameters
    ----------
    a, b : Taylor
        Of the same length.
    multiply : callable
        The product of two arrays, linear in each.
    """
    result: Taylor = [None] * len(a)
    for place in range(len(a)):
        for left in range(place + 1):
            right = place ^ left
            if left & ~place or a[left] is None or b[right] is None:
                continue
            term = multiply(a[left], b[right])
            result[place] = term if result[place] is None else result[place] + term
    return result


def mapped(a: Taylor, linear: Callable[[Any], Any]) -> Taylor:
    """Return a linear function of a Taylor array.

    Parameters
    ----------
    a : Taylor
    linear : callable
        From one array to another.
    """
    return [None if x is None else linear(x) for x in a]


def through(derivatives: Sequence[Any], z: Taylor) -> Taylor:
    """Return f(z), element by element.

    Parameters
    ----------
    derivatives : sequence of numpy.ndarray
        f, f' and f'' at the value of `z`; as many as `z` needs: 1, 2 or 3.
    z : Taylor
    """
    result: Taylor = [derivatives[0]]
    result += [None if x is None else derivatives[1] * x for x in z[1:]]
    if len(z) == 4 and z[1] is not None and z[2] is not None:
        bend = derivatives[2] * (z[1] * z[2])
        result[3] = bend if result[3] is None else result[3] + bend
    return result


def derivatives(activation: Activation, z: np.ndarray, count: int) -> list[np.ndarray]:
    """Return an activation and its derivatives up to the order `count`, at most 3.

    The second and the third are differences of the slope, taken away from 0 on either side, so that
    a kink there, as all kinked activations of this package have, is not crossed: derivatives of
    ReLU are exact.

    Parameters
    ----------
    activation : Activation
    z : numpy.ndarray
        Float64.
    count : int
        1, 2 or 3.
    """
    value, slope = activation.value_and_slope(z)
    found = [np.asarray(value), np.asarray(slope)]
    away = np.where(z > 0.0, 1.0, -1.0)  # at a kink the slope is that below it
    if count >= 2:
        near, far = (activation.derivative(z + n * _STEP * away) for n in (1, 2))
        found.append((4.0 * near - far - 3.0 * slope) * away / (2.0 * _STEP))
    if count >= 3:
        one, two, three = (activation.derivative(z + n * _WIDE_STEP * away) for n in (1, 2, 3))
        found.append((2.0 * slope - 5.0 * one + 4.0 * two - three) / _WIDE_STEP**2)
    return found
