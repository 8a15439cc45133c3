"""Bootstrap intervals of timings: of medians, and of functions of medians.

Whole rounds are drawn, which keeps together the samples that were taken together. The bootstrap
gives the standard error of the logarithm of a statistic, and Student's quantile the interval:
percentiles of few rounds lie between the least and the largest sample, which a median of three
leaves in one case of four. As in Hesterberg (2015, doi:10.1080/00031305.2015.1089789), the
variance is multiplied by n / (n − 1).

Disturbances outlast a round. Of so many rounds, those count that would be as good if they were
independent: n (1 − ρ) / (1 + ρ) for an autocorrelation of ρ from one to the next (Bayley and
Hammersley 1946, doi:10.2307/2983560). It is estimated, less its bias (Marriott and Pope 1954), from
eight rounds on; fewer are taken to be independent. Eight tell a correlation of 0.8 only roughly:
their intervals then cover a few percent less than they say, those of twenty and more do not.

The place of data in memory can cost one array a seventh of its speed for as long as it lives
(Mytkowicz et al. 2009, doi:10.1145/1508244.1508275): where methods were prepared several times,
preparations are drawn first and rounds within them second, and the preparations are the n of
Student's distribution; they are taken to be independent.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array: TypeAlias = NDArray[np.float64]

CONFIDENCE = 0.95
_RESAMPLES = 1000  # the standard error of a standard error from so many is 2 %
FEWEST_FOR_CORRELATION = 8
"""Rounds from which on it shows whether they are independent."""
_LARGEST_CORRELATION = 0.95
_LEAST_EFFECTIVE = 3.0  # with fewer, the variance is too uncertain for a finite interval
_FAR = 1.5 * 1.4826  # median absolute deviations: 1.5 standard deviations of a normal distribution
_FARTHEST = 700.0  # logarithm of a factor that is still a float


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
        Seconds; the values of a row were measured together, rows one after the other.
    statistic : callable
        Maps medians, of shape (resamples, methods), to positive values, of shape
        (resamples, values), such as the ratios of the first column to the others.
    preparations : int
        Equal numbers of rounds, one after the other, belong to as many preparations.
    rng : numpy.random.Generator
        Draws preparations and rounds.

    Returns
    -------
    low, high : numpy.ndarray of float64, shape (values,)
    """
    point = statistic(np.median(samples, axis=0, keepdims=True))[0]
    values = statistic(_resampled_medians(samples, preparations, rng))
    if preparations > 1:
        units, effective = preparations, np.full(len(point), float(preparations))
    else:
        units, effective = len(samples), _effective_rounds(_log(statistic(samples)))
    # less the point, so that equal samples have an error of exactly 0
    error = (_log(values) - _log(point)).std(axis=0) * np.sqrt(units / (effective - 1.0))
    quantile = stdtrit(effective - 1.0, 0.5 + 0.5 * CONFIDENCE)
    factor = np.exp(np.minimum(quantile * error, _FARTHEST))
    with np.errstate(over="ignore"):  # the interval then has no upper end
        return point / factor, point * factor


def _log(values: Array) -> Array:
    return np.asarray(np.log(np.maximum(values, np.finfo(np.float64).tiny)))


def _effective_rounds(logs: Array) -> Array:
    """Return how many independent rounds are as good, of each column.

    Parameters
    ----------
    logs : numpy.ndarray of float64, shape (rounds, values)
        Logarithm of the statistic of each round alone.
    """
    rounds = len(logs)
    if rounds < FEWEST_FOR_CORRELATION:
        return np.full(logs.shape[1], float(max(2, rounds)))
    rest = logs - np.median(logs, axis=0)
    # outliers, which do not move a median, would mask the autocorrelation of the other values
    far = _FAR * np.median(np.abs(rest), axis=0)
    rest = np.clip(rest, -far, far)
    rest -= rest.mean(axis=0)
    squares = np.square(rest).sum(axis=0)
    products = (rest[1:] * rest[:-1]).sum(axis=0)
    found = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0.0)
    # the estimate of ρ is too low by (1 + 4 ρ) / rounds
    correlation = np.clip((rounds * found + 1.0) / (rounds - 4.0), 0.0, _LARGEST_CORRELATION)
    return np.asarray(
        np.maximum(_LEAST_EFFECTIVE, rounds * (1.0 - correlation) / (1.0 + correlation))
    )


def _resampled_medians(samples: Array, preparations: int, rng: np.random.Generator) -> Array:
    rounds, methods = len(samples) // preparations, samples.shape[1]
    columns = np.ascontiguousarray(samples.T)
    medians = np.empty((_RESAMPLES, methods))
    at_once = max(1, 2**20 // samples.size)
    for begin in range(0, _RESAMPLES, at_once):
        count = min(at_once, _RESAMPLES - begin)
        chosen = rng.integers(rounds, size=(count, preparations, rounds))
        if preparations > 1:
            chosen = chosen + rounds * rng.integers(preparations, size=(count, preparations, 1))
        chosen = chosen.reshape(count, -1)
        medians[begin : begin + count] = np.median(columns[:, chosen], axis=-1).T
    return medians
