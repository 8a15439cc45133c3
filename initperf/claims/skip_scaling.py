"""Residual branches scaled down at the start (De & Smith 2020, SkipInit, 2002.10444)."""

import math

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._stack import inputs, mean_square
from initperf.initializers import INITIALIZERS

_WIDTH, _BLOCKS, _COUNT = 256, 50, 16


def _growth(seed: int, quick: bool) -> float:
    """Return the factor of the mean square in all blocks x + W₂ relu(W₁ relu(x)) / √blocks."""
    he, networks, total = INITIALIZERS["he_normal"], (4 if quick else 10), 0.0
    for number in range(networks):
        own = seed * networks + number
        x = inputs(own, _COUNT, _WIDTH)
        before = mean_square(x)
        for block in range(_BLOCKS):
            branch = x
            for layer in range(2):
                w = he((_WIDTH, _WIDTH), rng=own, stream=2 * block + layer, threads=1)
                branch = np.maximum(branch, 0.0) @ w
            x = x + branch / np.float32(math.sqrt(_BLOCKS))
        total += mean_square(x) / before
    return total / networks


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
