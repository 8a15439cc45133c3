"""Verdict on a claim: a confidence interval compared with a tolerance, one rule for all."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.99
"""Confidence of the intervals: of about 40 claims, less than one interval misses its mean."""

HOLDS, FAILS, UNDECIDABLE = "holds", "fails", "not decidable here"


@dataclass(frozen=True)
class Interval:
    """Mean over seeds, and its confidence interval.

    Attributes
    ----------
    mean, low, high : float
        NaN where a seed gave no finite number.
    """

    mean: float
    low: float
    high: float


def interval(values: Sequence[float], *, exact: bool = False) -> Interval:
    """Return the mean of one value a seed with Student's interval of CONFIDENCE.

    Parameters
    ----------
    values : sequence of float
        One for each seed, independent of each other.
    exact : bool
        Whether the measurement has no randomness: its one value is then an interval of no width.

    Raises
    ------
    ValueError
        For fewer than two values of a measurement that is not exact, or several of one that is.
    """
    x = np.asarray(values, dtype=np.float64)
    if exact:
        if len(x) != 1:
            raise ValueError(f"an exact measurement has one value, not {len(x)}")
        return Interval(float(x[0]), float(x[0]), float(x[0]))
    if len(x) < 2:
        raise ValueError(f"an interval needs at least two seeds, not {len(x)}")
    if not np.isfinite(x).all():
        return Interval(math.nan, math.nan, math.nan)
    mean, error = float(x.mean()), float(x.std(ddof=1)) / math.sqrt(len(x))
    half = float(stdtrit(len(x) - 1, 0.5 + 0.5 * CONFIDENCE)) * error
    return Interval(mean, mean - half, mean + half)


def judge(found: Interval, low: float, high: float) -> str:
    """Return the verdict on a claim whose number is in [low, high].

    Parameters
    ----------
    found : Interval
    low, high : float
        The claimed number with its tolerance; either may be infinite.

    Returns
    -------
    str
        ``"holds"`` when the whole interval is inside, ``"fails"`` when the whole interval is
        outside, else, and for NaN, ``"not decidable here"``.
    """
    if low <= found.low and found.high <= high:
        return HOLDS
    if found.high < low or found.low > high:
        return FAILS
    return UNDECIDABLE
