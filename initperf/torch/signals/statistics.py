"""Records of what is measured of one tensor, and of one operation in one direction."""

import math
from dataclasses import dataclass

from initperf.torch.signals.graph import Operation

DIRECTIONS = ("forward", "loss", "cotangent")
"""A result; the gradient of the loss with respect to it; the gradient under random cotangents."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Moments, range and units of one tensor, non-finite elements included.

    Attributes
    ----------
    elements : int
        Number of elements.
    dtype : str
        ``"float32"`` and so on.
    mean, second_moment : float
        Averages of x and x², accumulated in float64.
    kurtosis : float
        Fourth central moment divided by the squared variance: 3 for a normal distribution; NaN for
        a constant.
    zeros, nonfinite : float
        Shares of elements that are exactly 0, and infinite or NaN, in [0, 1].
    largest : float
        Largest magnitude; NaN when an element is.
    range_share : float
        `largest` divided by the largest number of the dtype.
    fp16_overflow, bf16_overflow : float
        Shares of elements that are finite, and infinite when rounded to the format.
    fp16_underflow, bf16_underflow : float
        Shares of elements that are not 0, and 0 when rounded to the format.
    dead : float
        Share of units (`Operation.unit_axis`) that are 0 for every sample and place; like
        `duplicates`, NaN of gradients.
    duplicates : float
        Share of units that are not dead and equal an earlier one to the bit everywhere. NaN where
        units have so few elements that rounding may make them equal.
    saturated : float
        Of an activation: share of elements at inputs beyond which the slope stays below 1 % of its
        largest magnitude. NaN otherwise.
    cosine : float
        Mean cosine between the results of two different samples, entries of the first axis of the
        batch, at most `initperf.torch.signals.samples.MOST` of them. NaN for one sample.
    highest_cosine : float
        Largest of these cosines.
    rank : float
        Effective rank of these samples' results: the exponential of the entropy of the normalized
        squared singular values (after Roy & Vetterli 2007), from 1 to the number of samples.
    """

    elements: int
    dtype: str
    mean: float
    second_moment: float
    kurtosis: float
    zeros: float
    nonfinite: float
    largest: float
    range_share: float
    fp16_overflow: float
    fp16_underflow: float
    bf16_overflow: float
    bf16_underflow: float
    dead: float
    duplicates: float
    saturated: float = math.nan
    cosine: float = math.nan
    highest_cosine: float = math.nan
    rank: float = math.nan

    @property
    def root_mean_square(self) -> float:
        """Return the root of the second moment."""
        return math.sqrt(self.second_moment)

    @property
    def norm(self) -> float:
        """Return the Euclidean norm of all elements."""
        return math.sqrt(self.second_moment * self.elements)


AGREEMENTS = ("as predicted", "by chance of this seed", "wrong", "not known")
"""How a measurement lies beside theory; see `Prediction.agreement`."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Second moment that theory predicts of one operation's result.

    Attributes
    ----------
    low, high : float
        Bounds of the mean over draws of the weights; equal where theory gives one number.
    deviation : float
        Standard deviation of the logarithm over draws, by the finite width of the layers.
    since : str
        Name of the operation whose measured second moment the prediction starts from.
    """

    low: float
    high: float
    deviation: float
    since: str

    @property
    def value(self) -> float:
        """Return the predicted second moment, the geometric mean of its bounds."""
        return math.sqrt(self.low) * math.sqrt(self.high)

    def agreement(self, second_moment: float, expected: float, possible: float) -> str:
        """Return one of `AGREEMENTS` for a measured second moment.

        Parameters
        ----------
        second_moment : float
            What was measured.
        expected, possible : float
            Standard deviations of the logarithm within which it is as predicted, and within which
            it may be chance.
        """
        if not (self.low >= 0.0 and math.isfinite(second_moment)):
            return "not known"
        if self.high == 0.0 or second_moment == 0.0:
            return "as predicted" if self.low <= second_moment <= self.high else "wrong"
        below = math.log(self.low / second_moment) if self.low > 0.0 else -math.inf
        beyond = max(0.0, below, math.log(second_moment / self.high))
        if beyond <= expected * self.deviation:
            return "as predicted"
        return "by chance of this seed" if beyond <= possible * self.deviation else "wrong"


@dataclass(frozen=True, slots=True)
class Measurement:
    """Statistics of one operation in one direction.

    Attributes
    ----------
    operation : Operation
        What was measured.
    seed : int
        Seed of the run.
    direction : str
        One of `DIRECTIONS`.
    statistics : Statistics
        Of the result, or of the gradient with respect to it.
    gain : float
        Forward, of a linear layer or a convolution: root mean square of the result divided by that
        of the signal that it reads. NaN otherwise.
    prediction : Prediction or None
        Forward, where theory has one.
    """

    operation: Operation
    seed: int
    direction: str
    statistics: Statistics
    gain: float = math.nan
    prediction: Prediction | None = None
