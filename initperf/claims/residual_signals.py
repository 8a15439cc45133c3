"""Signals in residual networks at initialization (De & Smith 2020; Zhang, Dauphin & Ma 2019)."""

import math

from initperf.claims._claim import Claim, register
from initperf.claims._stack import inputs, mean_over_networks, mean_square, relu_branch
from initperf.claims._training import accuracy
from initperf.schemes import signals
from initperf.training.experiment import Experiment
from initperf.training.network import Mlp

_WIDTH, _BLOCKS, _COUNT = 256, 20, 16
_SKIPINIT = "De & Smith 2020 (2002.10444), section 2"


def _moments(seed: int, normalized: bool, blocks: int) -> list[float]:
    """Return the mean square before the first and after each block x + W₂ relu(W₁ relu(x))."""
    x = inputs(seed, _COUNT, _WIDTH)
    found = [mean_square(x)]
    for block in range(blocks):
        x = x + relu_branch(x / math.sqrt(found[-1]) if normalized else x, seed, block)
        found.append(mean_square(x))
    return found


def _growth(seed: int, quick: bool) -> float:
    def ratio(own: int) -> float:
        found = _moments(own, False, _BLOCKS)
        return found[-1] / found[0]

    return float(mean_over_networks(ratio, seed, 5 if quick else 20) ** (1.0 / _BLOCKS))


def _normalized(seed: int, quick: bool) -> float:
    found = _moments(seed, True, 50)
    return found[-1] / found[0]


def _fixup(seed: int, quick: bool) -> float:
    network = Mlp((100, *[_WIDTH] * (2 * _BLOCKS + 1), 10), "relu", residual=2)
    network.initialize("fixup", seed)
    states = [mean_square(x) for x, _ in signals(network, inputs(seed, _COUNT, 100))]
    return states[-1] / states[1]


def _thousand(seed: int, quick: bool) -> float:
    return accuracy(
        Experiment(
            "fixup",
            "tanh",
            hidden=(32,) * 1001,
            residual=1,
            learning_rate=0.05,
            epochs=2 if quick else 4,
            batch_size=64,
            seed=seed,
        )
    )


register(
    Claim(
        name="residual_doubling",
        statement="With He's weights every residual block doubles the second moment of the signal.",
        cite=_SKIPINIT,
        setting="20 blocks x + W₂ relu(W₁ relu(x)) of 256 units, no normalization.",
        quantity="factor of the second moment a block",
        number=2.0,
        low=1.9,
        high=2.1,
        tolerance="5 %.",
        measure=_growth,
    )
)
register(
    Claim(
        name="residual_normalized",
        statement="With a normalization at the start of each branch the second moment grows "
        "linearly: by 51 in 50 blocks.",
        cite=_SKIPINIT,
        setting="50 blocks of 256 units; the branch divides by the root mean square of its input.",
        quantity="second moment after 50 blocks / before",
        number=51.0,
        low=45.9,
        high=56.1,
        tolerance="10 %.",
        measure=_normalized,
        seeds=40,
        quick_seeds=20,
    )
)
register(
    Claim(
        name="fixup_growth",
        statement="Fixup's residual blocks start as the identity.",
        cite="Zhang, Dauphin & Ma 2019 (1901.09321), section 3",
        setting="20 blocks of two layers of 256 units, initperf's fixup.",
        quantity="second moment after the blocks / before",
        number=1.0,
        low=0.999,
        high=1.001,
        tolerance="0.1 %: branches of zeros add nothing.",
        measure=_fixup,
        seeds=3,
        quick_seeds=3,
    )
)
register(
    Claim(
        name="fixup_thousand_blocks",
        statement="A residual network of 1,000 blocks without normalization trains from Fixup.",
        cite="Zhang, Dauphin & Ma 2019 (1901.09321), abstract: 10,000 layers",
        setting="1,000 blocks of one tanh layer of 32 units, 5,000 images of MNIST, gradient "
        "descent, 4 epochs, quick 2.",
        quantity="test accuracy",
        number=None,
        low=0.8,
        high=1.0,
        tolerance="above 80 %, where guessing gives 10 %.",
        measure=_thousand,
        seeds=6,
        quick_seeds=5,
        source_read="compared with the abstract",
    )
)
