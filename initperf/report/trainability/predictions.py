"""What theory says of a rule before training: signals forward and gradients back, in a wide net."""

import functools
import math
from dataclasses import dataclass

from initperf.errors import UnsuitableError
from initperf.initializers import Initializer
from initperf.schemes import PerLayer
from initperf.theory import MeanField
from initperf.training._spelling import rule_of
from initperf.training.network import Mlp

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
    if isinstance(rule, Initializer):
        first, inner, bias = rule, rule, 0.0
    elif isinstance(rule, PerLayer):
        sizes = (_INPUTS, *(width,) * min(depth, 3), _CLASSES)
        network = Mlp(sizes, activation, "float32", "numpy")
        try:
            rule.check(tuple(sizes[1:-1]), network.activation, 0)
        except UnsuitableError:
            return None
        (first, biases), (inner, _) = rule.initializers(network, 0), rule.initializers(network, 1)
        bias = float(biases.std((width, 1))) ** 2
    else:
        return None
    try:
        if first.mean((_INPUTS, width)) or inner.mean((width, width)):
            return None
        start = _INPUTS * first.std((_INPUTS, width)) ** 2 + bias
        field = MeanField(activation, width * inner.std((width, width)) ** 2, bias)
        moments = field.second_moments(start, depth)
    except (ValueError, NotImplementedError):
        return None
    signal = float(moments[-1] / moments[0]) if moments[0] > 0.0 else 0.0
    try:
        gradient = float(field.gradient_growth(start, depth)[0])
    except ValueError:  # of second moments beyond the domain of the maps
        gradient = math.nan
    return Prediction(signal, gradient)
