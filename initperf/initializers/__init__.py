"""The initializers: one family a file, each declaring its theory, found in INITIALIZERS."""

from typing import Any

from initperf._core.keys import RandomSource
from initperf._core.registry import import_siblings
from initperf.initializers._fans import fans
from initperf.initializers._initializer import INITIALIZERS, Independent, Initializer, register
from initperf.initializers._parts import draw_part

__all__ = ["INITIALIZERS", "Independent", "Initializer", "draw", "draw_part", "fans", "register"]

_SOURCE = ("dtype", "out", "backend", "stream", "offset", "threads", "part")


def draw(name: str, shape: Any, *, rng: RandomSource = None, **options: Any) -> Any:
    """Draw weights by the name of an initializer.

    Parameters
    ----------
    name : str
        One of ``INITIALIZERS``, or an alias.
    shape : int or tuple of int
        Shape of the weight, (fan_in, fan_out) for a layer applied as ``x @ w``.
    rng : None, int, SeedSequence, BitGenerator or Generator
        See `initperf._core.keys.as_key`.
    **options
        ``dtype``, ``out``, ``backend``, ``stream``, ``offset`` and ``threads`` as
        `Initializer.__call__` takes them. ``part``, slices of step 1, asks for a rectangular
        part of the weight, the same bits as in the whole; see `draw_part`. Anything else is a
        parameter of the initializer, such as ``gain=2.0``.

    Returns
    -------
    array
        The weights: ``out`` if given, else a new float32 array.

    Examples
    --------
    >>> import initperf
    >>> initperf.draw("he_normal", (784, 256), rng=0).shape
    (784, 256)
    """
    source = {key: options.pop(key) for key in _SOURCE if key in options}
    initializer = INITIALIZERS[name]
    if options:
        initializer = initializer.replace(**options)
    if source.get("part") is not None:
        return draw_part(initializer, shape, rng=rng, **source)
    source.pop("part", None)
    return initializer(shape, rng=rng, **source)


import_siblings(__name__, __path__)
