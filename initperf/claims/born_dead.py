"""ReLU networks that are dead before training (Lu, Shin, Su & Karniadakis 2019, 1903.06733)."""

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._random import normals

_LAYERS = 10


def _share(seed: int, quick: bool) -> float:
    """Return the share of networks whose output is the same for all inputs.

    Without biases a network of one input is linear on either side of 0: it is constant when both
    signals, from 1 and from −1, die in a hidden layer.
    """
    count = 20_000
    x = np.stack([np.ones((count, 1)), -np.ones((count, 1))], axis=1)
    for layer in range(_LAYERS - 1):
        w = normals(seed, layer, (count, x.shape[2], 2), dtype="float64")
        x = np.maximum(x @ w, 0.0)
    return float(np.mean(~x.any(axis=(1, 2))))


register(
    Claim(
        name="born_dead",
        statement="A ReLU network of width 2 with ten layers and one input is constant from the "
        "start with a chance of 0.870 to 0.925.",
        cite="Lu, Shin, Su & Karniadakis 2019 (1903.06733), theorem 3.3",
        setting="20,000 networks each seed, normal weights, no biases; nine layers have ReLU.",
        quantity="share of networks that are constant",
        number=None,
        low=0.870,
        high=0.925,
        tolerance="the paper's two bounds.",
        measure=_share,
        source_read="bounds derived again in initperf.theory.born_dead_bounds; not compared with "
        "the text",
    )
)
