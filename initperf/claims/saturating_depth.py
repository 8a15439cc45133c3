"""Back-propagated gradients of tanh networks (Glorot & Bengio 2010, figures 6 and 7)."""

from initperf.claims._claim import Claim, register
from initperf.claims._stack import Stack, inputs, mean_square
from initperf.initializers import INITIALIZERS

_WIDTH, _LAYERS = 1000, 5
_SETTING = (
    "5 tanh layers of 1,000 units, standard normal inputs of 1,000 features, a normal gradient "
    "from above, 64 inputs."
)


def _factor(initializer: str, seed: int) -> float:
    """Return by what the variance of gradients is multiplied from a layer to the one below."""
    stack = Stack.draw(seed, [_WIDTH] * (_LAYERS + 1), INITIALIZERS[initializer], "tanh")
    states = stack.forward(inputs(seed, 64, _WIDTH))
    gradients = stack.backward(states, inputs(seed + (1 << 30), 64, _WIDTH))
    ratio = mean_square(gradients[0]) / mean_square(gradients[-1])
    return float(ratio ** (1.0 / (_LAYERS - 1)))


def _standard(seed: int, quick: bool) -> float:
    return _factor("fan_in_uniform", seed)


def _normalized(seed: int, quick: bool) -> float:
    return _factor("glorot_uniform", seed)


register(
    Claim(
        name="standard_backward",
        statement="With the standard U(±1/√n) the variance of back-propagated gradients falls to "
        "1/3 a layer.",
        cite="Glorot & Bengio 2010, equation 15 and figure 7",
        setting=_SETTING,
        quantity="factor of the gradient's variance a layer",
        number=1.0 / 3.0,
        low=0.3,
        high=0.3667,
        tolerance="10 %: the number is that of a linear network, and tanh's slope is below 1.",
        measure=_standard,
        remark="Per layer the factor is 1/3 times the mean squared slope of tanh, which inputs of "
        "unit variance bring below 1 in the first layers; it goes to 1/3 further up.",
    )
)
register(
    Claim(
        name="normalized_backward",
        statement="With the normalized initialization the variance of back-propagated gradients is "
        "the same in all layers.",
        cite="Glorot & Bengio 2010, equations 12 to 16 and figure 7",
        setting=_SETTING,
        quantity="factor of the gradient's variance a layer",
        number=1.0,
        low=0.9,
        high=1.1,
        tolerance="10 %, as of the standard initialization.",
        measure=_normalized,
        remark="The derivation takes tanh as linear. With inputs of unit variance its mean squared "
        "slope is well below 1 in the first layers, and gradients shrink, by far less than with "
        "the standard initialization. They are kept by a gain as of initperf's critical scheme.",
    )
)
