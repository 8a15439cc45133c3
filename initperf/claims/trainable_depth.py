"""Depth to which tanh networks train (Schoenholz et al. 2017, 1611.01232)."""

import math
from dataclasses import dataclass

import numpy as np

from initperf.claims._claim import Claim, register
from initperf.claims._training import run_epochs, started, tested
from initperf.initializers import Initializer, VarianceScaling
from initperf.initializers.normal import Normal
from initperf.schemes import Network, PerLayer
from initperf.theory import MeanField
from initperf.training.experiment import Experiment

_WEIGHTS, _BIASES = 1.0, 0.05
_WIDTH = 200
_MULTIPLES = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
_HALFWAY = 0.5


@dataclass(frozen=True, kw_only=True)
class _Gaussian(PerLayer):
    """N(0, σw²/n), biases N(0, σb²)."""

    def initializers(self, network: Network, number: int) -> tuple[Initializer, Initializer]:
        """Return the two normals."""
        return VarianceScaling(scale=_WEIGHTS), Normal(scale=math.sqrt(_BIASES))


def _accuracy(depth: int, seed: int, quick: bool) -> float:
    experiment = Experiment(
        "zeros",
        "tanh",
        hidden=(_WIDTH,) * depth,
        learning_rate=0.02,
        epochs=2 if quick else 4,
        batch_size=64,
        record="none",
        seed=seed,
    )
    epochs = started(experiment, _Gaussian(formula="N(0, σw²/n)", cite=""))
    run_epochs(epochs)
    return tested(epochs)


def _depth(seed: int, quick: bool) -> float:
    """Return the depth at which accuracy falls through 50 %, in units of ξ_c, interpolated."""
    _, scale = MeanField("tanh", _WEIGHTS, _BIASES).depth_scales()
    before = math.nan
    for index, multiple in enumerate(_MULTIPLES):
        accuracy = _accuracy(round(multiple * scale), seed, quick)
        if accuracy < _HALFWAY:
            if index == 0:
                return multiple
            rise = (before - _HALFWAY) / (before - accuracy)
            return float(np.interp(rise, [0.0, 1.0], [_MULTIPLES[index - 1], multiple]))
        before = accuracy
    return _MULTIPLES[-1]


register(
    Claim(
        name="trainable_depth",
        statement="Networks train up to a depth of about 6ξ_c, ξ_c the depth scale of correlations "
        "at initialization.",
        cite="Schoenholz et al. 2017 (1611.01232), figure 5",
        setting="tanh, σw² = 1, σb² = 0.05, width 200, 5,000 images of MNIST, gradient descent, "
        "rate 0.02, 4 epochs, quick 2; depths of 3 to 10 ξ_c; the paper has width 300.",
        quantity="depth at which test accuracy falls through 50 %, in ξ_c",
        number=6.0,
        low=5.0,
        high=7.0,
        tolerance="1: the paper's line is a rule of thumb.",
        measure=_depth,
        seeds=8,
        quick_seeds=4,
        remark="The depth grows with the number of steps, as the paper's figure shows too: 6ξ_c "
        "belongs to one amount of training and is no limit.",
    )
)
