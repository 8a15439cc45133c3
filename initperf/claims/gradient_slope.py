"""Growth of gradients by χ₁ a layer (Schoenholz, Gilmer, Ganguli & Sohl-Dickstein 2017)."""

import math

from initperf.claims._claim import Claim, register
from initperf.claims._stack import Stack, inputs, mean_over_networks, mean_square
from initperf.initializers import VarianceScaling
from initperf.theory import MeanField

_WIDTH, _LAYERS = 500, 20
_FIRST, _LAST = 4, 19  # layers whose second moment is that of the fixed point
_WEIGHTS, _BIASES = 4.0, 0.05


def _growth(seed: int) -> float:
    """Return by what the squared gradient grows from layer `_LAST` down in one network."""
    weights = VarianceScaling(scale=_WEIGHTS)
    stack = Stack.draw(seed, [_WIDTH] * (_LAYERS + 1), weights, "tanh", math.sqrt(_BIASES))
    states = stack.forward(inputs(seed, 8, _WIDTH))
    gradients = stack.backward(states, inputs(seed + (1 << 30), 8, _WIDTH))
    return mean_square(gradients[_FIRST]) / mean_square(gradients[_LAST - 1])


def _ratio(seed: int, quick: bool) -> float:
    growth = mean_over_networks(_growth, seed, 10 if quick else 40)
    field = MeanField("tanh", _WEIGHTS, _BIASES)
    expected = math.log(field.chi(field.fixed_point()))
    return math.log(growth) / (_LAST - 1 - _FIRST) / expected


register(
    Claim(
        name="gradient_slope",
        statement="The logarithm of a gradient's squared norm changes by ln χ₁ a layer.",
        cite="Schoenholz et al. 2017 (1611.01232), section 4 and figure 4",
        setting="tanh, σw² = 4, σb² = 0.05, 20 layers of 500 units; layers 5 to 19, 8 inputs; the "
        "mean of 40 networks each seed, quick 10.",
        quantity="measured slope / ln χ₁",
        number=1.0,
        low=0.98,
        high=1.02,
        tolerance="2 %.",
        measure=_ratio,
        seeds=16,
        quick_seeds=12,
    )
)
