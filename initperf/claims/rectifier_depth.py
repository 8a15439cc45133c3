"""He's and Xavier's weights in 30 ReLU layers (He, Zhang, Ren & Sun 2015, 1502.01852)."""

import math

from initperf.claims._claim import Claim, register
from initperf.claims._stack import Stack, inputs, mean_over_networks, mean_square
from initperf.claims._training import thirty_layers
from initperf.initializers import INITIALIZERS

_CITE = "He, Zhang, Ren & Sun 2015 (1502.01852), section 2.2"
_TRAINING = (
    "a perceptron of 30 ReLU layers of 100 units, 5,000 images of MNIST, gradient descent, rate "
    "0.01, 15 epochs, quick 8; the paper's network is convolutional."
)


def _lost(seed: int, quick: bool) -> float:
    def ratio(own: int) -> float:
        stack = Stack.draw(own, [1000] * 32, INITIALIZERS["glorot_normal"], "relu")
        states = stack.forward(inputs(own, 4, 1000))
        return mean_square(states[30]) / mean_square(states[0])

    return math.log2(mean_over_networks(ratio, seed, 4 if quick else 16))


def _he(seed: int, quick: bool) -> float:
    return thirty_layers("he_normal", seed, epochs=8 if quick else 15)


def _xavier(seed: int, quick: bool) -> float:
    return thirty_layers("glorot_normal", seed, epochs=8 if quick else 15)


register(
    Claim(
        name="xavier_relu_signal",
        statement="With Xavier's weights 30 ReLU layers reduce the second moment by 2⁻³⁰, to "
        "9.3e-10 of it.",
        cite=_CITE,
        setting="31 ReLU layers of 1,000 units, from the first pre-activations to the 31st.",
        quantity="log₂ of the ratio of second moments",
        number=-30.0,
        low=-30.5,
        high=-29.5,
        tolerance="half a layer.",
        measure=_lost,
        seeds=10,
        quick_seeds=10,
    )
)
register(
    Claim(
        name="he_trains_thirty",
        statement="A ReLU network of 30 layers trains from He's weights.",
        cite=_CITE + ", figure 3",
        setting=_TRAINING,
        quantity="test accuracy",
        number=None,
        low=0.8,
        high=1.0,
        tolerance="above 80 %, where guessing gives 10 %.",
        measure=_he,
        seeds=40,
        quick_seeds=8,
    )
)
register(
    Claim(
        name="xavier_stalls_thirty",
        statement="A ReLU network of 30 layers does not train from Xavier's weights.",
        cite=_CITE + ", figure 3",
        setting=_TRAINING,
        quantity="test accuracy",
        number=None,
        low=0.0,
        high=0.2,
        tolerance="below 20 %, where guessing gives 10 %.",
        measure=_xavier,
        remark="Xavier's weights do not train in this time, but the seeds are not all at guessing "
        "any more: the stall is long, not for ever.",
        seeds=24,
        quick_seeds=8,
    )
)
