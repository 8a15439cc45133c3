"""Declared thresholds of the verdict, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from initperf.torch.signals.statistics import Measurement


@dataclass(frozen=True)
class Threshold:
    """Limit beyond which a measurement is a finding.

    Attributes
    ----------
    limit : float
        The largest value that is healthy; where `measures` is a probability, the smallest.
    measures : str
        What is compared with it.
    source : str
        Why it is there: a paper, or the margin over what healthy networks show.
    """

    limit: float
    measures: str
    source: str


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {
        "overflow": Threshold(
            0.0,
            "share of infinite and NaN elements; −∞ alone is a mask, except in a layer",
            "one such element makes the loss NaN",
        ),
        "unwritten": Threshold(
            1e-3,
            "share of a parameter's entries that are not finite, subnormal, or beyond 1e6 times "
            "their median magnitude",
            "memory that was never written holds addresses, which read as subnormal numbers, and "
            "remains of other data; of 1e9 normal entries none is beyond 10 times the median",
        ),
        "constant": Threshold(
            0.0,
            "spread of a weight's entries, where it neither ends a residual branch nor the model",
            "Goodfellow et al. 2016, §8.4: units with equal weights stay equal",
        ),
        "copied": Threshold(
            0.0,
            "number of entries in which two weights of one shape differ, tied ones left out",
            "independent draws of more than one entry never agree in all",
        ),
        "duplicate": Threshold(
            0.0,
            "share of units of a layer that equal another to the bit for the whole batch",
            "Goodfellow et al. 2016, §8.4: units with equal weights stay equal",
        ),
        "gate": Threshold(
            0.0,
            "number of parameters that are 0, while those in the same place of other blocks differ",
            "ReZero (Bachlechner et al. 2021) and SkipInit (De & Smith 2020) close all gates alike",
        ),
        "fan": Threshold(
            3.0,
            "factor by which a layer's gain misses 1, where its variance is 1/3, 1, 2 or 6 divided "
            "by the fan of the other axis within 5 %",
            "√2 by He et al. 2015, and 0.58 by PyTorch's default, times a margin of 2",
        ),
        "layer": Threshold(
            5.0,
            "root mean square of a layer's result divided by that of its input, no normalization "
            "following",
            "√2 by He et al. 2015, times the fluctuation of narrow layers; weights of PyTorch's "
            "default that are 10 times too large give 5.8, those of He et al. 14",
        ),
        "normalized layer": Threshold(
            10.0,
            "the same where a normalization follows",
            "up to 5.7 in torchvision's ResNet; weights of He et al. that are 10 times too large "
            "give 14",
        ),
        "siblings": Threshold(
            5.0,
            "gain of a layer divided by the median of the same layers of all blocks, three or more",
            "one rule gives one gain; He et al. by the fan-out, as in ResNet, differs by 2 between "
            "blocks",
        ),
        "recurrent": Threshold(
            3.0,
            "√(fan-in E[w²]) of a weight that a recurrent layer multiplies its own state by; of "
            "several gates, the largest",
            "Sompolinsky, Crisanti & Sommers 1988: beyond 1 a random recurrent network is chaotic; "
            "√2 by He et al. 2015, times a margin of 2",
        ),
        "recurrent memory": Threshold(
            0.1,
            "the same: a layer without gates must keep at least so much of its state from step to "
            "step; of a layer with gates a note",
            "Pascanu, Mikolov & Bengio 2013: three steps pass on its cube, 0.001; PyTorch's "
            "default gives 0.58",
        ),
        "signal": Threshold(
            1e3,
            "largest ratio between the root mean squares of two layers' results",
            "Hanin & Rolnick 2018: healthy networks of 100 layers of 100 units keep their "
            "logarithm within √5, a factor of 10",
        ),
        "gradient": Threshold(
            1e4,
            "ratio of the largest gradient norms in the first and the last quarter of layers",
            "the square of the signal's, as gradients are divided by layers and places as well",
        ),
        "dead": Threshold(
            1e-6,
            "chance that as many units of independent weights are 0 for the whole batch",
            "Slepian 1962: for samples of a cosine c at most, a unit of symmetric weights is "
            "dead with the chance ∫φ(t) Φ(−t√(c/(1−c)))ᴺ dt at most, and units are independent",
        ),
        "scores": Threshold(
            2.0,
            "standard deviation of attention scores along the keys, before the softmax",
            "Vaswani et al. 2017, §3.2.1: 1 for queries and keys of unit variance, divided by √d",
        ),
        "head": Threshold(
            2.0,
            "cross-entropy at the start, less ln C",
            "normal logits of standard deviation σ add σ²/2: He et al. 2015 gives σ = √2 and 1",
        ),
        "loss_sum": Threshold(
            1.0,
            "number of targets that a loss sums without dividing by it",
            "the rate of learning then depends on the size of the batch",
        ),
        "truncation": Threshold(
            1e-3,
            "share that the cut of a truncated normal distribution must remove at least",
            "timm and others pass bounds of ±2 beside a standard deviation of 0.02, 100 of it",
        ),
        "unreached": Threshold(
            0.0, "number of parameters that no gradient reaches", "they are never trained"
        ),
        "blocked": Threshold(
            0.0, "number of parameters whose gradient is exactly 0; a note", "what follows is 0"
        ),
        "agreement: expected": Threshold(
            2.0,
            "standard deviations of the logarithm from theory: as predicted below",
            "95 % of normal fluctuations",
        ),
        "agreement: possible": Threshold(
            5.0,
            "the same: by chance of this seed below, wrong beyond",
            "fewer than one in a million normal fluctuations",
        ),
    }
)
"""Each threshold by the kind of finding that it decides."""


def agreement(measurement: Measurement) -> str:
    """Return how a measurement lies beside theory; see `Prediction.agreement`."""
    if measurement.prediction is None:
        return "not known"
    return measurement.prediction.agreement(
        measurement.statistics.second_moment,
        THRESHOLDS["agreement: expected"].limit,
        THRESHOLDS["agreement: possible"].limit,
    )
