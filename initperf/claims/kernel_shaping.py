"""Deep plain networks with shaped activations (2110.01765, 2203.08120)."""

import math

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._random import normals
from initperf.claims._stack import correlation, mean_over_networks, orthogonal_inputs
from initperf.claims._training import accuracy
from initperf.theory import tailored_slope
from initperf.training.experiment import Experiment

_WIDTH, _LAYERS = 1500, 50


def _correlation(seed: int, quick: bool) -> float:
    """Return the correlation of orthogonal inputs after 50 layers of the tailored leaky ReLU."""
    slope = tailored_slope(_LAYERS, 0.9)
    scale = math.sqrt(2.0 / (1.0 + slope**2) / _WIDTH)

    def last(own: int) -> float:
        x = orthogonal_inputs(own, _WIDTH)
        x *= math.sqrt(_WIDTH) / np.linalg.norm(x, axis=1, keepdims=True)
        x = x.astype(np.float32)
        for layer in range(_LAYERS + 1):
            z = x @ normals(own, layer, (_WIDTH, _WIDTH), scale)
            x = np.maximum(z, np.float32(slope) * z)
        return correlation(z)

    return mean_over_networks(last, seed, 2 if quick else 6)


def _trained(seed: int, quick: bool) -> float:
    return accuracy(
        Experiment(
            "dks",
            "tanh",
            hidden=(128,) * 50,
            learning_rate=3e-4,
            epochs=3 if quick else 6,
            batch_size=64,
            seed=seed,
        )
    )


register(
    Claim(
        name="tailored_correlation",
        statement="Leaky ReLU with TAT's slope brings orthogonal inputs to a correlation of 0.9 in "
        "50 layers, where ReLU brings them nearly to 1.",
        cite="Zhang, Botev & Martens 2022 (2203.08120), section 3",
        setting="50 layers of 1,500 units of the leaky ReLU of initperf.theory.tailored_slope.",
        quantity="correlation after 50 layers",
        number=0.9,
        low=0.88,
        high=0.92,
        tolerance="0.02, of the order of L/n times 1 − c.",
        measure=_correlation,
        seeds=10,
        quick_seeds=10,
    )
)
register(
    Claim(
        name="shaped_training",
        statement="A plain network of 50 layers trains with deep kernel shaping.",
        cite="Martens et al. 2021 (2110.01765), abstract",
        setting="50 tanh layers of 128 units, initperf's dks, 5,000 images of MNIST, gradient "
        "descent, rate 0.0003, 6 epochs, quick 3; the paper trains convolutions by K-FAC.",
        quantity="test accuracy",
        number=None,
        low=0.8,
        high=1.0,
        tolerance="above 80 %, where guessing gives 10 %.",
        measure=_trained,
        seeds=8,
        quick_seeds=6,
    )
)
