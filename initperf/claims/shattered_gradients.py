"""Correlation of the gradients of two inputs (Balduzzi et al. 2017, 1702.08591)."""

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._stack import inputs
from initperf.initializers import INITIALIZERS

_WIDTH, _LAYERS = 400, 10
_CITE = "Balduzzi, Frean, Leary, Lewis, Ma & McWilliams 2017 (1702.08591), theorems 1 and 2"
_SETTING = (
    "10 layers of 400 units, N(0, 2/n), two independent normal inputs, the same gradient from "
    "above; 40 networks each seed, quick 20."
)
_READ = "exponential and slower decay compared with the abstract, the two bases not"
_REMARK = (
    "The paper's number assumes that a unit is active for both inputs with the chance 1/4 in every "
    "layer. In a real ReLU network the signals of different inputs become alike from layer to "
    "layer, so that this chance rises to 1/2: gradients decorrelate by a power of the depth, not "
    "exponentially. The factor 1/2 (plain) or 3/4 (residual) is that of the first layer alone."
)


def _factor(seed: int, quick: bool, residual: bool) -> float:
    """Return the L-th root of the correlation of two gradients by the inputs."""
    networks, he = 20 if quick else 40, INITIALIZERS["he_normal"]
    products = np.zeros(3)
    for number in range(networks):
        own = seed * networks + number
        x = inputs(own, 2, _WIDTH)
        weights = [he((_WIDTH, _WIDTH), rng=own, stream=i, threads=1) for i in range(_LAYERS)]
        active = []
        for w in weights:
            z = x if residual else x @ w
            active.append(z > 0.0)
            x = x + (x * active[-1]) @ w if residual else z * active[-1]
        gradient = np.repeat(inputs(own + (1 << 30), 1, _WIDTH), 2, axis=0)
        for w, mask in zip(reversed(weights), reversed(active), strict=True):
            skip = gradient if residual else 0.0
            gradient = skip + ((gradient @ w.T) * mask if residual else (gradient * mask) @ w.T)
        one, two = gradient.astype(np.float64)
        products += one @ two, one @ one, two @ two
    correlation = products[0] / np.sqrt(products[1] * products[2])
    return float(np.maximum(correlation, 0.0) ** (1.0 / _LAYERS))


def _plain(seed: int, quick: bool) -> float:
    return _factor(seed, quick, residual=False)


def _residual(seed: int, quick: bool) -> float:
    return _factor(seed, quick, residual=True)


register(
    Claim(
        name="shattered_plain",
        statement="In a plain ReLU network the gradients of two inputs keep a correlation of 2⁻ᴸ.",
        cite=_CITE,
        setting=_SETTING,
        quantity="L-th root of the correlation",
        number=0.5,
        low=0.475,
        high=0.525,
        tolerance="5 % a layer.",
        measure=_plain,
        remark=_REMARK,
        source_read=_READ,
    )
)
register(
    Claim(
        name="shattered_residual",
        statement="In a residual ReLU network the gradients of two inputs keep (3/4)ᴸ.",
        cite=_CITE,
        setting=_SETTING + " A block is x + W relu(x).",
        quantity="L-th root of the correlation",
        number=0.75,
        low=0.7125,
        high=0.7875,
        tolerance="5 % a block.",
        measure=_residual,
        remark=_REMARK,
        source_read=_READ,
    )
)
