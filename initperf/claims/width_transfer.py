"""Best learning rates across widths (Yang, Hu et al. 2022, μP, 2203.03466)."""

import math

from initperf.claims._claim import Claim, register
from initperf.claims._training import loss
from initperf.training.experiment import Experiment

_NARROW = 64
_RATES = [2.0**power for power in range(-12, -3)]


def _best(initializer: str, width: int, seed: int) -> float:
    """Return log₂ of the rate with the least test loss after an epoch of Adam."""
    losses = {
        rate: loss(
            Experiment(
                initializer,
                "relu",
                hidden=(width, width),
                optimizer="adam",
                learning_rate=rate,
                epochs=1,
                batch_size=64,
                seed=seed,
            )
        )
        for rate in _RATES
    }
    return math.log2(min(losses, key=lambda rate: losses[rate]))


def _shift(initializer: str, seed: int, quick: bool) -> float:
    wide = 512 if quick else 1024
    return _best(initializer, wide, seed) - _best(initializer, _NARROW, seed)


def _maximal(seed: int, quick: bool) -> float:
    return _shift("mup", seed, quick)


def _standard(seed: int, quick: bool) -> float:
    return _shift("he_normal", seed, quick)


_CITE = "Yang, Hu, Babuschkin et al. 2022 (2203.03466), figures 1 and 3"
_SETTING = (
    "ReLU, two hidden layers, Adam, 5,000 images of MNIST, one epoch, rates that are powers of 2; "
    "width 64 against 1,024, quick 512; the paper goes to 8,192."
)

register(
    Claim(
        name="maximal_update_rate",
        statement="Under the maximal update parametrization the best learning rate moves by at "
        "most 2 when the width changes.",
        cite=_CITE,
        setting=_SETTING,
        quantity="log₂ of the best rate, wide / narrow",
        number=0.0,
        low=-1.0,
        high=1.0,
        tolerance="a factor of 2, one step of the grid.",
        measure=_maximal,
        seeds=4,
        quick_seeds=2,
    )
)
register(
    Claim(
        name="standard_rate",
        statement="Under the standard parametrization the best learning rate falls with the width.",
        cite=_CITE,
        setting=_SETTING,
        quantity="log₂ of the best rate, wide / narrow",
        number=None,
        low=-8.0,
        high=-1.0,
        tolerance="by a factor of 2 or more.",
        measure=_standard,
        seeds=4,
        quick_seeds=2,
    )
)
