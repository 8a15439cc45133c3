"""Initializers for JAX, Flax and Haiku; the only module that imports jax.

A kernel of JAX has the axes (..., in, out), as weights have here.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initperf._core.arguments import shown
from initperf._core.arrays import as_shape
from initperf._core.dtypes import as_rounded_dtype
from initperf.initializers import Initializer, as_initializer


def initializer(name: str | Initializer, **parameters: Any) -> Callable[..., jax.Array]:
    """Return a function ``init(key, shape, dtype=None)`` that draws weights.

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
        Like those of ``jax.nn.initializers``: takes a single key, typed or of raw words, a shape
        and a dtype, float32, float64 (where JAX allows it), float16 or bfloat16; the last two are
        drawn as float32 and rounded. The default is JAX's own: float64 under x64, else float32.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, or parameters that the initializer does not take; and, from the
        function returned, for an impossible key, shape or dtype, and for a batch of keys, for
        which ``jax.vmap`` draws.

    Examples
    --------
    >>> import jax, initperf.jax
    >>> init = initperf.jax.initializer("he_normal")
    >>> init(jax.random.key(0), (784, 256)).shape
    (784, 256)
    """
    rule = as_initializer(name).replace(**parameters)

    def init(key: Any, shape: Any, dtype: Any = None, out_sharding: Any = None) -> jax.Array:
        kind = jax.dtypes.canonicalize_dtype(float if dtype is None else dtype)
        as_rounded_dtype(kind)
        lengths = as_shape(shape)
        # an impossible shape raises here, not in the callback
        rule.std(tuple(max(1, length) for length in lengths))

        def draw(words: Any) -> np.ndarray:
            seed = np.random.SeedSequence([int(word) for word in np.asarray(words).reshape(-1)])
            weights: np.ndarray = rule(lengths, rng=seed, dtype=kind)
            return weights

        words = _words(key)
        if not isinstance(words, jax.core.Tracer):
            weights = jnp.asarray(draw(words))
        else:
            result = jax.ShapeDtypeStruct(lengths, kind)
            weights = jax.pure_callback(draw, result, words, vmap_method="sequential")
        return weights if out_sharding is None else jax.device_put(weights, out_sharding)

    return init


def _words(key: Any) -> jax.Array:
    """Return the words of a single key, typed or raw.

    Raises
    ------
    TypeError
        For what is no key.
    ValueError
        For several keys.
    """
    if not isinstance(key, (jax.Array, np.ndarray)):
        raise TypeError(f"key must be a key of jax.random, not {shown(key)}")
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    if not typed and key.dtype != jnp.uint32:
        raise TypeError(f"key must be a key of jax.random, not an array of {key.dtype}")
    if key.ndim != (0 if typed else 1):
        raise ValueError(
            f"key must be a single key, not an array of them of shape {key.shape}; "
            "jax.vmap draws for each"
        )
    return jax.random.key_data(key) if typed else jnp.asarray(key)
