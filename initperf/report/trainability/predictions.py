"""Predictions of theory for a rule before training: signals and gradients in a wide network."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from initperf.activations import ACTIVATIONS, Activation
from initperf.initializers import Initializer
from initperf.schemes import PerLayer
from initperf.theory import MeanField
from initperf.training._spelling import rule_of

_INPUTS = 784
_CLASSES = 10


@dataclass(frozen=True)
class Prediction:
    """Changes through all hidden layers at initialization, in the limit of width.

    Attributes
    ----------
    signal : float
        Second moment of the last hidden layer's pre-activations, divided by the first's.
    gradient : float
        Squared norm of the gradient by the first hidden layer's pre-activations, divided by that by
        the last's.
    """

    signal: float
    gradient: float

    def distance(self) -> float:
        """Return how many decades both are away from 1, in sum; infinite for 0 and infinity."""
        found = 0.0
        for change in (self.signal, self.gradient):
            if not 0.0 < change < math.inf:
                return math.inf
            found += abs(math.log10(change))
        return found


@functools.lru_cache(maxsize=1024)
def predict(initializer: str, activation: str, depth: int, width: int) -> Prediction | None:
    """Return what mean-field theory predicts for inputs of mean square 1.

    Parameters
    ----------
    initializer : str
        A rule that draws each layer's weights independently of the data.
    activation : str
    depth, width : int
        Hidden layers, and units of each.

    Returns
    -------
    Prediction or None
        None for rules that look at data or set the network as a whole, and weights with a mean.
    """
    rule = rule_of(initializer)
    try:
        if isinstance(rule, Initializer):
            first, inner, bias = rule, rule, 0.0
        elif isinstance(rule, PerLayer):
            first, inner, bias = _layers(rule, activation, depth, width)
        else:
            return None
        if first.mean((_INPUTS, width)) or inner.mean((width, width)):
            return None
        start = _INPUTS * first.std((_INPUTS, width)) ** 2 + bias
        field = MeanField(activation, width * inner.std((width, width)) ** 2, bias)
        moments = field.second_moments(start, depth)
    except (ValueError, NotImplementedError):  # of rules that do not apply, or declare nothing
        return None
    signal = float(moments[-1] / moments[0]) if moments[0] > 0.0 else 0.0
    try:
        gradient = float(field.gradient_growth(start, depth)[0])
    except ValueError:  # of second moments beyond the domain of the maps
        gradient = math.nan
    return Prediction(signal, gradient)


@dataclass(frozen=True, eq=False)
class _Outline:
    """Sizes and activation of a network without weights, which is what rules of layers look at."""

    sizes: np.ndarray
    activation: Activation
    backend: str = "numpy"
    residual: int = 0
    blocks: tuple[range, ...] = ()

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    def is_linear(self, number: int) -> bool:
        return number == self.depth - 1


def _layers(
    rule: PerLayer, activation: str, depth: int, width: int
) -> tuple[Initializer, Initializer, float]:
    """Return a scheme's initializers of the first and the second layer, and its biases' variance.

    Parameters
    ----------
    rule : PerLayer
    activation : str
    depth, width : int

    Raises
    ------
    UnsuitableError
        Where the rule does not apply.
    """
    hidden = (width,) * max(depth, 2)
    outline: Any = _Outline(np.array((_INPUTS, *hidden, _CLASSES)), ACTIVATIONS[activation])
    rule.check(hidden, outline.activation, 0)
    first, biases = rule.initializers(outline, 0)
    inner, _ = rule.initializers(outline, 1)
    return first, inner, float(biases.std((width, 1))) ** 2
