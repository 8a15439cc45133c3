"""Initializers for layers of Keras, with any of its backends; the only module that imports it.

A kernel of Keras has the axes (..., in, out), as weights have here.
"""

from typing import Any

import keras
import numpy as np

from initperf.initializers import INITIALIZERS

_DIRECT = ("float32", "float64")
_ROUNDED = ("float16", "bfloat16")


@keras.saving.register_keras_serializable(package="initperf")
class Initializer(keras.initializers.Initializer):  # type: ignore[misc]  # keras has no types
    """A Keras initializer that draws by one of ``INITIALIZERS``.

    Parameters
    ----------
    name : str
        One of ``INITIALIZERS`` or an alias.
    seed : int, optional
        Fresh entropy without it. Call number *i* draws what ``initperf.draw`` gives with
        ``rng=seed, stream=i``, so that layers that share an initializer differ.
    **parameters
        Parameters of the initializer, such as ``gain=2.0``.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, or parameters that the initializer does not take.

    Examples
    --------
    >>> import keras, initperf.keras
    >>> init = initperf.keras.Initializer("he_normal", seed=0)
    >>> layer = keras.layers.Dense(256, kernel_initializer=init)
    """

    def __init__(self, name: str, seed: int | None = None, **parameters: Any) -> None:
        self._rule = INITIALIZERS[name].replace(**parameters)
        self._name, self._seed, self._parameters = self._rule.name, seed, parameters
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
        if kind not in _DIRECT + _ROUNDED:
            allowed = ", ".join(_DIRECT + _ROUNDED)
            raise ValueError(f"dtype must be one of {allowed}, not {dtype!r}")
        drawn = kind if kind in _DIRECT else "float32"
        weights = self._rule(shape, rng=self._seed, stream=self._calls, dtype=drawn)
        self._calls += 1
        return keras.ops.convert_to_tensor(np.asarray(weights), dtype=kind)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that build the same initializer."""
        return {"name": self._name, "seed": self._seed, **self._parameters}
