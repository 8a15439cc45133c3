"""Ranking of rules by the mean of a score over seeds, with what the seeds do not distinguish.

A seed fixes the order of the batches and the random numbers of the weights, so that rules are
compared seed by seed: the interval of a difference is *paired*, and what a seed does to all rules
is not in it. The intervals of all differences from the best hold together with 95 %, see
`initperf._core.comparisons`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from initperf._core.comparisons import Array, compare_with_best

MARGIN = 0.01
"""A rule that is behind by less, for all that the seeds show, is as good as the best."""


@dataclass(frozen=True)
class Ranked:
    """Place of one rule among those that it is compared with.

    Attributes
    ----------
    name : str
    seeds : int
        Seeds that have a score.
    mean : float
        Mean score of these seeds.
    expected, low, high : float
        Mean corrected for the choice of the best, and its 95 % interval; NaN limits for fewer than
        two seeds.
    behind, reach : float
        Mean difference from the best, and half the width of its simultaneous 95 % interval; NaN
        for fewer than two seeds.
    verdict : str
        ``"best"``; ``"worse"`` where the interval of the difference excludes 0; ``"tied"`` where it
        includes 0 and stays below MARGIN; ``"undecided"`` where it does not, or runs diverged;
        ``"diverged"`` where all runs did.
    diverged : int
        Runs that diverged.
    """

    name: str
    seeds: int
    mean: float
    expected: float
    low: float
    high: float
    behind: float
    reach: float
    verdict: str
    diverged: int


def ranked(
    names: Sequence[str], scores: Array, diverged: Sequence[int], waits: Sequence[float] = ()
) -> list[Ranked]:
    """Rank rules, the best first.

    Parameters
    ----------
    names : sequence of str
        The rules.
    scores : numpy.ndarray of float64, shape (seeds, rules)
        The higher the better; NaN where a rule lacks a seed. Rules are compared on the seeds that
        all of them have or, where there are none, by their means.
    diverged : sequence of int
        Runs of each rule that diverged; a rule all of whose runs did comes last.
    waits : sequence of float, optional
        Epochs until a level is reached, by which rules of equal means are ranked; NaN for never.

    Returns
    -------
    list of Ranked
    """
    scores = np.asarray(scores, np.float64).reshape(-1, len(names))
    has = ~np.isnan(scores)
    counts = has.sum(axis=0)
    own = [float(scores[has[:, i], i].mean()) for i in range(len(names))]
    shared = scores[has.all(axis=1)]
    means = (shared.mean(axis=0) if len(shared) else np.array(own)).round(12)  # rounding errors

    def place(i: int) -> tuple[bool, float, float, str]:
        wait = float(waits[i]) if len(waits) else math.inf
        lost = bool(diverged[i] == counts[i])
        return lost, -float(means[i]), math.inf if math.isnan(wait) else wait, names[i]

    order = sorted(range(len(names)), key=place)
    values = (shared if len(shared) else np.array([own]))[:, order]
    compared = compare_with_best(values, np.array([diverged[i] == 0 for i in order]))
    return [
        Ranked(
            name=names[i],
            seeds=int(counts[i]),
            mean=own[i],
            expected=float(compared.expected[place]),
            low=float(compared.low[place]),
            high=float(compared.high[place]),
            behind=float(compared.behind[place]),
            reach=float(compared.reach[place]),
            verdict=_verdict(
                place,
                lost=bool(diverged[i] == counts[i]),
                worse=bool(compared.worse[place]),
                tied=bool(compared.behind[place] + compared.reach[place] <= MARGIN)
                and not diverged[i],
            ),
            diverged=int(diverged[i]),
        )
        for place, i in enumerate(order)
    ]


def _verdict(place: int, *, lost: bool, worse: bool, tied: bool) -> str:
    if lost:
        return "diverged"
    if place == 0:
        return "best"
    if worse:
        return "worse"
    return "tied" if tied else "undecided"
