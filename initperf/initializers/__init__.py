"""Initializers: one family a file, each declaring its theory, found in INITIALIZERS.

A new one needs no other import than this package: the base classes, the distributions of
independent weights, `VarianceScaling` with its presets, and `register`.
"""

from typing import Any

from initperf._core.keys import RandomSource
from initperf._core.registry import import_siblings
from initperf._core.source import Source
from initperf.initializers._distributions import (
    Distribution,
    Normal,
    Point,
    TruncatedNormal,
    Uniform,
)
from initperf.initializers._fans import fans
from initperf.initializers._initializer import (
    INITIALIZERS,
    Filler,
    Independent,
    Initializer,
    as_initializer,
    register,
)
from initperf.initializers._parts import draw_part
from initperf.initializers._tables import bounds_table, weights_tables
from initperf.initializers.variance_scaling import VarianceScaling

__all__ = [
    "INITIALIZERS",
    "Distribution",
    "Filler",
    "Independent",
    "Initializer",
    "Normal",
    "Point",
    "Source",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "as_initializer",
    "bounds_table",
    "draw",
    "draw_part",
    "fans",
    "register",
    "weights_tables",
]

_SOURCE = ("dtype", "out", "backend", "stream", "offset", "threads", "part")


def draw(name: str | Initializer, shape: Any, *, rng: RandomSource = None, **options: Any) -> Any:
    """Draw weights by an initializer or its name.

    Parameters
    ----------
    name : str or Initializer
        One of ``INITIALIZERS``, or an alias, or an initializer.
    shape : int or tuple of int
        Shape of the weight, (fan_in, fan_out) for a layer applied as ``x @ w``.
    rng : None, int, SeedSequence, BitGenerator or Generator
        See `initperf._core.keys.as_key`.
    **options
        ``dtype``, ``out``, ``backend``, ``stream``, ``offset`` and ``threads`` as
        `Initializer.__call__` takes them. ``part``, slices of step 1, asks for a rectangular
        part of the weight, the same bits as in the whole; see `draw_part`. All others are
        parameters of the initializer, such as ``gain=2.0``.

    Returns
    -------
    array
        The weights: ``out`` if given, else a new array, float32 by default.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, or what cannot be drawn; nothing has been written then.

    Examples
    --------
    >>> import initperf
    >>> initperf.draw("he_normal", (784, 256), rng=0).shape
    (784, 256)
    """
    source = {key: options.pop(key) for key in _SOURCE if key in options}
    # as_initializer for the usual case, without the time of a call
    initializer = INITIALIZERS[name] if isinstance(name, str) else as_initializer(name)
    if options:
        initializer = initializer.replace(**options)
    if source.get("part") is not None:
        return draw_part(initializer, shape, rng=rng, **source)
    source.pop("part", None)
    return initializer(shape, rng=rng, **source)


import_siblings(__name__, __path__)
