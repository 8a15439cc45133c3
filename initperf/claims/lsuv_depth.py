"""LSUV against other weights in a deep ReLU network (Mishkin & Matas 2016, 1511.06422)."""

from initperf.claims._claim import Claim, register
from initperf.claims._training import thirty_layers


def _trained(initializer: str, seed: int, quick: bool) -> float:
    return thirty_layers(initializer, seed, epochs=5 if quick else 10)


def _over_orthogonal(seed: int, quick: bool) -> float:
    return _trained("lsuv", seed, quick) - _trained("orthogonal", seed, quick)


def _over_he(seed: int, quick: bool) -> float:
    return _trained("lsuv", seed, quick) - _trained("he_normal", seed, quick)


def _over_xavier(seed: int, quick: bool) -> float:
    return _trained("lsuv", seed, quick) - _trained("glorot_normal", seed, quick)


_SETTING = (
    "30 ReLU layers of 100 units, 5,000 images of MNIST, gradient descent, rate 0.01, 10 epochs, "
    "quick 5; the same seed for both; the paper's networks are convolutional."
)
_CITE = "Mishkin & Matas 2016 (1511.06422), section 4"

register(
    Claim(
        name="lsuv_over_orthogonal",
        statement="A deep ReLU network trains from LSUV and not from orthogonal weights of gain 1.",
        cite=_CITE,
        setting=_SETTING,
        quantity="difference of test accuracies",
        number=None,
        low=0.5,
        high=1.0,
        tolerance="50 points: the one trains, the other does not.",
        measure=_over_orthogonal,
        seeds=10,
        quick_seeds=8,
    )
)
register(
    Claim(
        name="lsuv_over_xavier",
        statement="A deep ReLU network trains from LSUV and not from Xavier's weights.",
        cite=_CITE,
        setting=_SETTING,
        quantity="difference of test accuracies",
        number=None,
        low=0.5,
        high=1.0,
        tolerance="50 points: the one trains, the other does not.",
        measure=_over_xavier,
        seeds=10,
        quick_seeds=8,
    )
)
register(
    Claim(
        name="lsuv_over_he",
        statement="A deep ReLU network is at least as accurate from LSUV as from He's weights.",
        cite=_CITE,
        setting=_SETTING,
        quantity="difference of test accuracies",
        number=None,
        low=-0.02,
        high=1.0,
        tolerance="no worse by more than 2 points.",
        measure=_over_he,
        seeds=40,
        quick_seeds=8,
    )
)
