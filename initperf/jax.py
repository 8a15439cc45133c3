"""Initializers for JAX, Flax and Haiku; the only module that imports jax.

A kernel of JAX has the axes (..., in, out), as weights have here.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initperf.initializers import INITIALIZERS, Initializer

_DIRECT = ("float32", "float64")
_ROUNDED = ("float16", "bfloat16")


def initializer(name: str | Initializer, **parameters: Any) -> Callable[..., jax.Array]:
    """Return a function ``init(key, shape, dtype=float32)`` that draws weights.

    The weights depend on the key and the shape only, inside ``jax.jit`` and outside. Inside, the
    draw is a callback to the host.

    Parameters
    ----------
    name : str or Initializer
        One of ``INITIALIZERS`` or an alias, or an initializer.
    **parameters
        Parameters of the initializer, such as ``gain=2.0`` or ``in_axis``.

    Returns
    -------
    callable
        Like those of ``jax.nn.initializers``: takes a key, typed or of raw words, a shape and a
        dtype, float32, float64 (where JAX allows it), float16 or bfloat16; the last two are drawn
        as float32 and rounded.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, or parameters that the initializer does not take; and, from the
        function returned, for an impossible shape or dtype.

    Examples
    --------
    >>> import jax, initperf.jax
    >>> init = initperf.jax.initializer("he_normal")
    >>> init(jax.random.key(0), (784, 256)).shape
    (784, 256)
    """
    rule = (INITIALIZERS[name] if isinstance(name, str) else name).replace(**parameters)

    def init(key: Any, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> jax.Array:
        kind = jax.dtypes.canonicalize_dtype(dtype)
        if kind.name not in _DIRECT + _ROUNDED:
            allowed = ", ".join(_DIRECT + _ROUNDED)
            raise ValueError(f"dtype must be one of {allowed}, not {dtype!r}")
        lengths = tuple(shape)
        rule.std(lengths)  # an impossible shape raises here, not in the callback

        def draw(words: Any) -> np.ndarray:
            seed = np.random.SeedSequence([int(word) for word in np.asarray(words).reshape(-1)])
            drawn = kind if kind.name in _DIRECT else "float32"
            weights: np.ndarray = rule(lengths, rng=seed, dtype=drawn)
            return weights.astype(kind, copy=False)

        typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
        words = jax.random.key_data(key) if typed else key
        if not isinstance(words, jax.core.Tracer):
            weights = jnp.asarray(draw(words))
        else:
            result = jax.ShapeDtypeStruct(lengths, kind)
            weights = jax.pure_callback(draw, result, words, vmap_method="sequential")
        return weights if out_sharding is None else jax.device_put(weights, out_sharding)

    return init
