"""Best learning rates across widths (Yang, Hu et al. 2022, μP, 2203.03466)."""

import math

from initperf.claims._claim import Claim, register
from initperf.claims._training import loss
from initperf.training.experiment import Experiment

_NARROW = 64
_RATES = [2.0**power for power in range(-12, -3)]


def _best(initializer: str, width: int, seed: int) -> float:
    """Return log₂ of the rate with the least test loss after an epoch of Adam.

    The least of a parabola through the best rate and its neighbours, where these are finite.
    """
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
    best = min(losses, key=lambda rate: losses[rate])
    below, above = (losses.get(best * factor, math.inf) for factor in (0.5, 2.0))
    bend = below - 2.0 * losses[best] + above
    offset = 0.5 * (below - above) / bend if 0.0 < bend < math.inf else 0.0
    return math.log2(best) + offset


def _shift(initializer: str, seed: int, quick: bool) -> float:
    wide = 512 if quick else 2048
    return _best(initializer, wide, seed) - _best(initializer, _NARROW, seed)


def _maximal(seed: int, quick: bool) -> float:
    return _shift("mup", seed, quick)


def _standard(seed: int, quick: bool) -> float:
    return _shift("he_normal", seed, quick)


_CITE = "Yang, Hu, Babuschkin et al. 2022 (2203.03466), figures 1 and 3"
_SETTING = (
    "ReLU, two hidden layers, Adam, 5,000 images of MNIST, one epoch, rates that are powers of 2; "
    "width 64 against 2,048, quick 512; the paper goes to 8,192."
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
        seeds=20,
        quick_seeds=8,
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
        seeds=20,
        quick_seeds=8,
    )
)
