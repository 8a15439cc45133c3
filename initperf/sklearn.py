"""Perceptrons of scikit-learn whose first weights are drawn by an initializer.

scikit-learn draws Glorot's uniform distribution, biases included, and has no option for another.
These are its estimators with two more parameters, which pipelines, cross-validation and grid
searches can vary like any other. This is the only module that imports sklearn.neural_network.
"""

from typing import Any, ClassVar

import numpy as np
from sklearn import neural_network
from sklearn.utils import check_random_state

from initperf.initializers import INITIALIZERS, Initializer

_HOOK = "_init_coef"
"""Method of scikit-learn that draws the first weights of a layer; no public one does."""

for _base in (neural_network.MLPClassifier, neural_network.MLPRegressor):
    if not hasattr(_base, _HOOK):
        raise ImportError(f"this scikit-learn has no method {_HOOK}, which draws first weights")


class _Started:
    """Base class of both estimators."""

    _base: ClassVar[Any]

    def __init__(
        self,
        *,
        initializer: str | Initializer = "glorot_uniform",
        initializer_parameters: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.initializer = initializer
        self.initializer_parameters = initializer_parameters

    @classmethod
    def _get_param_names(cls) -> list[str]:
        own = ("initializer", "initializer_parameters")
        return sorted([*cls._base._get_param_names(), *own])

    def _init_coef(self, *arguments: Any) -> tuple[np.ndarray, np.ndarray]:
        # scikit-learn draws too, so that the order of its batches stays the same.
        weights, bias = super()._init_coef(*arguments)  # type: ignore[misc]  # a mixin's
        chosen = self.initializer
        rule = INITIALIZERS[chosen] if isinstance(chosen, str) else chosen
        rule = rule.replace(**(self.initializer_parameters or {}))
        seed: Any = self.random_state  # type: ignore[attr-defined]  # a mixin's
        if not isinstance(seed, (int, np.integer)):
            seed = int(check_random_state(seed).randint(2**31))
        layer = len(self.coefs_)  # type: ignore[attr-defined]  # those made before
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
    **options
        Those of ``sklearn.neural_network.MLPClassifier``, by name. With an integer
        ``random_state`` layer *i* starts from the result of ``initperf.draw`` with
        ``rng=random_state, stream=i``.

    Examples
    --------
    >>> from initperf.sklearn import MLPClassifier
    >>> model = MLPClassifier(initializer="he_normal", hidden_layer_sizes=(50,), random_state=0)
    """

    _base = neural_network.MLPClassifier


class MLPRegressor(_Started, neural_network.MLPRegressor):  # type: ignore[misc]  # untyped
    """``sklearn.neural_network.MLPRegressor`` that starts from the weights of an initializer.

    Parameters
    ----------
    initializer : str or Initializer
        As `MLPClassifier` takes it.
    initializer_parameters : dict, optional
        Its parameters, such as ``{"gain": 2.0}``.
    **options
        Those of ``sklearn.neural_network.MLPRegressor``, by name.
    """

    _base = neural_network.MLPRegressor
