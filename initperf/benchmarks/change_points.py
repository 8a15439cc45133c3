"""Places in a series of times at which its level changes.

They are those of the best partition for a penalty (PELT; Killick, Fearnhead & Eckley 2012,
doi:10.1080/01621459.2012.737745), which the ``ruptures`` library finds, that Student's test
confirms for all places of the series together.
"""

import math
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from scipy.stats import t as student

Logs: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

FEWEST_SESSIONS = 6
"""Series with fewer sessions are not searched: two levels need three sessions each."""

SHORTEST = 3
"""Least number of sessions of a level, so that one slow session makes none."""

PENALTY = 4.0
"""Cost of a change in units of ``ln(sessions)``, on squares in units of the noise's variance."""

FALSE_RATE = 0.05
"""Share of the series without change that are cut, at most."""

LEAST_CHANGE = 0.02
_MAD_TO_STD = 1.4826
_FAR = 4.0  # standard deviations of an outlier
_LEAST_STD = 0.002  # below this, a clock's resolution passes for noise


def change_points(logs: Logs) -> list[int]:
    """Return the places in a series at which a new level begins.

    Parameters
    ----------
    logs : numpy.ndarray of float64, shape (sessions,)
        Logarithms of times.

    Returns
    -------
    list of int
        Increasing; levels that differ by less than 2 % are one.
    """
    if len(logs) < FEWEST_SESSIONS:
        return []
    from ruptures import KernelCPD

    # by first differences: a change of level affects one of them only
    std = max(_MAD_TO_STD * _mad(np.diff(logs)) / math.sqrt(2.0), _LEAST_STD)
    calm = _without_outliers(logs, std)
    search = KernelCPD(kernel="linear", min_size=SHORTEST).fit((calm / std)[:, None])
    ends = [0, *search.predict(pen=PENALTY * math.log(len(logs)))]
    found: list[int] = []
    begin = 0
    for place, end in pairwise(ends[1:]):
        left, right = calm[begin:place], calm[place:end]
        if abs(right.mean() - left.mean()) >= math.log1p(LEAST_CHANGE) and _differ(
            left, right, FALSE_RATE / len(logs)
        ):
            found.append(place)
            begin = place
    return found


def _mad(values: Logs) -> float:
    return float(np.median(np.abs(values - np.median(values))))


def _without_outliers(logs: Logs, std: float) -> Logs:
    """Return a series in which lone far values are replaced by the median of their neighbours.

    Parameters
    ----------
    logs : numpy.ndarray of float64, shape (sessions,)
    std : float
        Standard deviation of its noise.
    """
    around = np.lib.stride_tricks.sliding_window_view(np.pad(logs, 2, mode="reflect"), 5)
    usual = np.median(around, axis=1)
    return np.where(np.abs(logs - usual) > _FAR * std, usual, logs)


def _differ(left: Logs, right: Logs, tail: float) -> bool:
    """Return whether Student's test of two levels with one variance finds them different.

    Parameters
    ----------
    left, right : numpy.ndarray of float64
        Logarithms of times.
    tail : float
        Its level.
    """
    freedom = len(left) + len(right) - 2
    squares = np.square(left - left.mean()).sum() + np.square(right - right.mean()).sum()
    error = math.sqrt(squares / freedom * (1 / len(left) + 1 / len(right)))
    reach = float(student.isf(tail / 2, freedom)) * error
    return bool(abs(right.mean() - left.mean()) > reach)
