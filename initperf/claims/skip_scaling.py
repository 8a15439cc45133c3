"""Residual branches scaled down at the start (De & Smith 2020, SkipInit, 2002.10444)."""

import math

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._stack import inputs, mean_over_networks, mean_square, relu_branch

_WIDTH, _BLOCKS, _COUNT = 256, 50, 16


def _ratio(seed: int) -> float:
    """Return the factor of the mean square in all blocks x + W₂ relu(W₁ relu(x)) / √blocks."""
    x = inputs(seed, _COUNT, _WIDTH)
    before = mean_square(x)
    for block in range(_BLOCKS):
        x = x + relu_branch(x, seed, block) / np.float32(math.sqrt(_BLOCKS))
    return mean_square(x) / before


def _growth(seed: int, quick: bool) -> float:
    return mean_over_networks(_ratio, seed, 4 if quick else 10)


register(
    Claim(
        name="skipinit_growth",
        statement="With branches divided by the root of the number of blocks the second moment "
        "grows by (1 + 1/d)ᵈ, below e, in all d blocks, where He's weights alone double it in "
        "each.",
        cite="De & Smith 2020 (2002.10444), section 4; SkipInit's multiplier starts at 0 or 1/√d",
        setting="50 blocks x + W₂ relu(W₁ relu(x)) / √50 of 256 units, no normalization; 10 "
        "networks each seed, quick 4.",
        quantity="second moment after 50 blocks / before",
        number=2.6916,
        low=2.42,
        high=2.96,
        tolerance="10 %, as of the growth with normalization.",
        measure=_growth,
        source_read="the scale of a branch compared with the abstract, its growth derived",
    )
)
