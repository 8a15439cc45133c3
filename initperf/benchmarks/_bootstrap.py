"""The bootstrap interval of every timing: of medians, and of functions of medians.

Whole rounds are drawn, which keeps together the samples that were taken together, in blocks of
neighbours (Künsch 1989, doi:10.1214/aos/1176347265; circular after Politis and Romano 1992),
because a disturbance outlasts a round. The place of data in memory can cost one array a seventh
of its speed for as long as it lives (Mytkowicz et al. 2009, doi:10.1145/1508244.1508275): where
methods were prepared several times, preparations are drawn first and rounds within them second.
Intervals from few preparations are too narrow, and are expanded as by Hesterberg (2015,
doi:10.1080/00031305.2015.1089789).
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

Array: TypeAlias = NDArray[np.float64]

CONFIDENCE = 0.95
_RESAMPLES, _MANY_RESAMPLES = 1000, 4000  # many where the tails beyond 95 % are needed


def medians_themselves(medians: Array) -> Array:
    """Return the medians: the statistic of an interval of plain medians."""
    return medians


def bootstrap(
    samples: Array,
    statistic: Callable[[Array], Array] = medians_themselves,
    *,
    preparations: int = 1,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Return the ends of the 95 % intervals of a statistic of the columns' medians.

    Parameters
    ----------
    samples : numpy.ndarray of float64, shape (rounds, methods)
        Seconds; the values of a row were measured together.
    statistic : callable
        Maps medians, of shape (resamples, methods), to an array of shape (resamples, values),
        such as the ratios of the first column to the others.
    preparations : int
        Equal numbers of rounds, one after the other, belong to as many preparations.
    rng : numpy.random.Generator
        Draws preparations and blocks.

    Returns
    -------
    low, high : numpy.ndarray of float64, shape (values,)
    """
    resamples, tail = _RESAMPLES, (1 - CONFIDENCE) / 2
    if preparations > 1:
        # Student's quantile instead of the normal one, and the variance's missing k / (k − 1)
        expanded = stdtrit(preparations - 1, tail) * math.sqrt(preparations / (preparations - 1))
        resamples, tail = _MANY_RESAMPLES, float(ndtr(expanded))
    values = statistic(_resampled_medians(samples, preparations, resamples, rng))
    low, high = np.quantile(values, (tail, 1 - tail), axis=0)
    return low, high


def _resampled_medians(
    samples: Array, preparations: int, resamples: int, rng: np.random.Generator
) -> Array:
    rounds, methods = len(samples) // preparations, samples.shape[1]
    length = math.ceil(rounds ** (1 / 3))
    blocks = math.ceil(rounds / length)
    columns = np.ascontiguousarray(samples.T)
    medians = np.empty((resamples, methods))
    at_once = max(1, 2**20 // samples.size)
    for begin in range(0, resamples, at_once):
        count = min(at_once, resamples - begin)
        starts = rng.integers(rounds, size=(count, preparations, blocks, 1))
        within = ((starts + np.arange(length)) % rounds).reshape(count, preparations, -1)
        chosen = within[..., :rounds]
        if preparations > 1:
            chosen = chosen + rounds * rng.integers(preparations, size=(count, preparations, 1))
        chosen = chosen.reshape(count, -1)
        medians[begin : begin + count] = np.median(columns[:, chosen], axis=-1).T
    return medians
