"""Perceptrons of scikit-learn whose first weights are drawn by an initializer.

scikit-learn draws Glorot's uniform distribution, biases included, and has no option for another.
These are its estimators with two more parameters, which pipelines, cross-validation and grid
searches can vary like any other. This is the only module that imports sklearn.neural_network.
"""

import inspect
from typing import Any

import numpy as np
from sklearn import neural_network
from sklearn.utils import check_random_state

from initperf.initializers import Initializer, as_initializer

_HOOK = "_init_coef"
"""Method of scikit-learn that draws the first weights of a layer; no public one does."""

for _base in (neural_network.MLPClassifier, neural_network.MLPRegressor):
    if not hasattr(_base, _HOOK):
        raise ImportError(f"this scikit-learn has no method {_HOOK}, which draws first weights")


_OWN: dict[str, Any] = {"initializer": "glorot_uniform", "initializer_parameters": None}
"""Parameters that scikit-learn's estimators do not have, with their defaults."""


def _constructor(base: Any) -> Any:
    """Return a constructor with the signature of scikit-learn's and the two parameters.

    scikit-learn reads the parameters of an estimator from the signature of its constructor.
    """
    theirs = inspect.signature(base.__init__).parameters.values()
    ours = (
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in _OWN.items()
    )
    signature = inspect.Signature([*theirs, *ours])

    def construct(self: Any, *positional: Any, **named: Any) -> None:
        given = signature.bind(self, *positional, **named).arguments
        own = {name: given.pop(name, default) for name, default in _OWN.items()}
        base.__init__(**given)
        vars(self).update(own)

    vars(construct)["__signature__"] = signature
    construct.__name__ = "__init__"
    return construct


class _Started:
    """Base class of both estimators."""

    initializer: str | Initializer
    initializer_parameters: dict[str, Any] | None
    random_state: Any  # of scikit-learn, as the weights of the layers that it has drawn
    coefs_: list[np.ndarray]

    def _init_coef(self, *arguments: Any) -> tuple[np.ndarray, np.ndarray]:
        # scikit-learn draws too, so that the order of its batches stays the same.
        weights, bias = super()._init_coef(*arguments)  # type: ignore[misc]  # a mixin's
        given = {} if self.initializer_parameters is None else self.initializer_parameters
        rule = as_initializer(self.initializer).replace(**given)
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = int(check_random_state(seed).randint(2**31))
        layer = len(self.coefs_)
        rule(weights.shape, rng=seed, stream=layer, out=weights)
        return weights, np.zeros_like(bias)


class MLPClassifier(_Started, neural_network.MLPClassifier):  # type: ignore[misc]  # untyped
    """``sklearn.neural_network.MLPClassifier`` that starts from the weights of an initializer.

    Parameters
    ----------
    initializer : str or Initializer
        One of ``INITIALIZERS`` or an alias, or an initializer; looked up when fitted, as
        scikit-learn requires, where an unknown name raises ValueError. Biases start at 0.
    initializer_parameters : dict, optional
        Its parameters, such as ``{"gain": 2.0}``.

    All other parameters are those of ``sklearn.neural_network.MLPClassifier``. With an integer
    ``random_state`` layer *i* starts from the result of ``initperf.draw`` with
    ``rng=random_state, stream=i``.

    Examples
    --------
    >>> from initperf.sklearn import MLPClassifier
    >>> model = MLPClassifier(initializer="he_normal", hidden_layer_sizes=(50,), random_state=0)
    """

    __init__ = _constructor(neural_network.MLPClassifier)


class MLPRegressor(_Started, neural_network.MLPRegressor):  # type: ignore[misc]  # untyped
    """``sklearn.neural_network.MLPRegressor`` that starts from the weights of an initializer.

    Parameters
    ----------
    initializer : str or Initializer
        As `MLPClassifier` takes it.
    initializer_parameters : dict, optional
        Its parameters, such as ``{"gain": 2.0}``.

    All other parameters are those of ``sklearn.neural_network.MLPRegressor``.
    """

    __init__ = _constructor(neural_network.MLPRegressor)
