"""Initializers for layers of Keras, with any of its backends; the only module that imports it.

A kernel of Keras has the axes (..., in, out), as weights have here.
"""

import dataclasses
import random
from typing import Any

import numpy as np

try:
    import keras
except ModuleNotFoundError as missing:
    if missing.name in (None, "keras"):
        raise
    raise ImportError(
        f"Keras's backend needs {missing.name}, which is not installed; the environment variable "
        "KERAS_BACKEND chooses another: jax, tensorflow or torch"
    ) from missing

from initperf._core.arguments import shown
from initperf._core.dtypes import as_rounded_dtype
from initperf.initializers import INITIALIZERS, as_initializer
from initperf.initializers import Initializer as Rule


@keras.saving.register_keras_serializable(package="initperf")
class Initializer(keras.initializers.Initializer):  # type: ignore[misc]  # keras has no types
    """A Keras initializer that draws by one of ``INITIALIZERS``.

    Parameters
    ----------
    name : str or initperf.initializers.Initializer
        One of ``INITIALIZERS`` or an alias, or an initializer.
    seed : int or keras.random.SeedGenerator, optional
        With an integer, call number *i* draws what ``initperf.draw`` gives with
        ``rng=seed, stream=i``. With a generator, each call takes its next seed. Without it, the
        seed comes from Python's `random`, which ``keras.utils.set_random_seed`` seeds.
    **parameters
        Parameters of the initializer, such as ``gain=2.0``.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, another kind of seed, or parameters that the initializer does not
        take.

    Notes
    -----
    Calls are counted by the object, so that layers built with one object differ. Keras copies an
    initializer by its configuration, from which counting starts again: by ``clone_model``,
    ``from_config``, and within layers such as ``MultiHeadAttention``, whose query and key it gives
    a copy each. Copies of one with a seed draw equal weights, as copies of Keras's own do; copies
    of one without a seed differ.

    Examples
    --------
    >>> import keras, initperf.keras
    >>> init = initperf.keras.Initializer("he_normal", seed=0)
    >>> layer = keras.layers.Dense(256, kernel_initializer=init)
    """

    def __init__(self, name: str | Rule, seed: Any = None, **parameters: Any) -> None:
        self._rule = as_initializer(name).replace(**parameters)
        if isinstance(seed, dict):  # of a configuration
            seed = keras.saving.deserialize_keras_object(seed)
        self._seed = seed
        integer = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if not (seed is None or integer or isinstance(seed, keras.random.SeedGenerator)):
            raise TypeError(f"seed must be None, an integer or a SeedGenerator, not {shown(seed)}")
        if integer and seed < 0:
            raise ValueError(f"seed must be a non-negative integer, not {shown(seed)}")
        self._key = random.getrandbits(64) if seed is None else seed
        self._calls = 0

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Draw weights.

        Parameters
        ----------
        shape : tuple of int
            Shape of the weight.
        dtype : str, optional
            float32, float64, float16 or bfloat16, by default Keras's ``floatx``; the last two are
            drawn as float32 and rounded.

        Returns
        -------
        tensor
            A tensor of Keras's backend.
        """
        kind = keras.backend.standardize_dtype(dtype)
        rounded = as_rounded_dtype(kind) is not None
        source: Any = self._key
        if isinstance(source, keras.random.SeedGenerator):
            words = keras.ops.convert_to_numpy(source.next())
            source = np.random.SeedSequence([int(word) for word in words.reshape(-1)])
        weights = np.asarray(self._rule(shape, rng=source, stream=self._calls, dtype=kind))
        self._calls += 1
        # not every backend takes NumPy's arrays of 16 bits: Keras rounds what is rounded already
        return keras.ops.convert_to_tensor(weights.astype("float32") if rounded else weights, kind)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build the same initializer.

        Raises
        ------
        ValueError
            For an initializer that is not registered: a saved model could not name it.
        """
        rule = self._rule
        known = INITIALIZERS.get(rule.name)
        if type(known) is not type(rule):
            raise ValueError(f"{shown(rule)} must be registered under a name to be saved")
        parameters = {
            field.name: getattr(rule, field.name)
            for field in dataclasses.fields(rule)
            if field.compare and getattr(rule, field.name) != getattr(known, field.name)
        }
        seed = self._seed
        if isinstance(seed, keras.random.SeedGenerator):
            seed = keras.saving.serialize_keras_object(seed)
        return {"name": rule.name, "seed": seed, **parameters}
