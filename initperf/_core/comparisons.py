"""Comparisons of means with the highest of them, valid for all of them at once.

Blocks are the seeds: what a seed does to every rule cancels. A rule is called worse than the one
with the highest mean by the studentized range (Tukey 1953), stepping down: the rule of lowest mean
is tested among all that are left, and the next among one fewer. Among rules that are equal, none
is called worse with a probability of 95 %, however many there are. The constrained intervals of
Hsu (Annals of Statistics 12, 1984) need smaller differences, but promise less: of exactly equal
rules they may call one "not better than the best", which a reader takes for "worse".

The variance about the seeds' means is pooled over the rules that are left, less those whose scatter
is too large for that by Cochran's test (Annals of Eugenics 11, 1941; sequential as in ISO 5725-2);
a pair with one of these has the variance of its own differences.

The highest of several means is too high for having been chosen. The means of the rules that are
not told from the best are drawn towards their common mean by the share of their spread that
sampling explains (Efron and Morris, JASA 68, 1973, with the positive part).
"""

import functools
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from initperf._core.studentized_range import range_quantile

Array: TypeAlias = NDArray[np.float64]

CONFIDENCE = 0.95
_OUTLIER = 0.01  # probability that Cochran's test excludes one of equally scattered rules


@dataclass(frozen=True, eq=False)
class Comparisons:
    """The comparisons of each rule with the first, and estimates of its mean.

    Attributes
    ----------
    behind : numpy.ndarray of float64, shape (rules,)
        Mean of the first rule less that of each.
    reach : numpy.ndarray of float64, shape (rules,)
        Half the width of the simultaneous 95 % intervals of `behind`; NaN for fewer than two seeds,
        and 0 for the first rule.
    worse : numpy.ndarray of bool, shape (rules,)
        Whether a rule is told from the first.
    expected, low, high : numpy.ndarray of float64, shape (rules,)
        Estimate of each rule's mean, corrected for the choice of the highest, and its 95 %
        interval; NaN limits for fewer than two seeds.
    """

    behind: Array
    reach: Array
    worse: NDArray[np.bool_]
    expected: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class _Pool:
    """Rules that share a variance, by their columns, and the variance with its freedom."""

    members: NDArray[np.intp]
    variance: float
    freedom: int


def compare_with_best(values: Array, steady: NDArray[np.bool_]) -> Comparisons:
    """Compare rules with the first of them.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (seeds, rules)
        Without gaps; the rules by falling mean.
    steady : numpy.ndarray of bool, shape (rules,)
        Whether a rule's values are a sample of one distribution, and may share the variance; not
        where runs diverged.

    Returns
    -------
    Comparisons
    """
    seeds, rules = values.shape
    means = values.mean(axis=0)
    behind = means[0] - means
    reach, worse = np.full(rules, math.nan), np.zeros(rules, dtype=bool)
    reach[0] = 0.0
    left = np.arange(rules)
    while seeds > 1 and len(left) > 1:
        pool = _pool(values, left[steady[left]])
        others = left[left > 0]
        pooled = pool.members[pool.members > 0] if 0 in pool.members else pool.members[:0]
        reach[others] = _reaches(values, others, pooled, pool, len(left))
        if not len(pooled):
            break
        lowest = pooled[-1]
        if not behind[lowest] > reach[lowest]:
            break
        worse[lowest] = True
        left = left[left != lowest]
    if seeds > 1:
        worse[left] = behind[left] > reach[left]
        left = left[~worse[left]]
    return Comparisons(behind, reach, worse, *_estimates(values, left[steady[left]]))


def t_interval(values: Array) -> tuple[Array, Array, Array]:
    """Return means over the first axis, and the ends of their 95 % t intervals (Student 1908).

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (seeds, ...)

    Returns
    -------
    mean, low, high : numpy.ndarray of float64, shape (...)
        NaN limits for fewer than two seeds, and a NaN mean for none.
    """
    seeds = len(values)
    mean = values.mean(axis=0) if seeds else np.full(values.shape[1:], math.nan)
    if seeds < 2:
        return mean, np.full_like(mean, math.nan), np.full_like(mean, math.nan)
    half = student_quantile(seeds - 1) * values.std(axis=0, ddof=1) / math.sqrt(seeds)
    return mean, mean - half, mean + half


def student_quantile(freedom: float) -> float:
    """Return the two-sided 95 % quantile of Student's distribution."""
    from scipy.special import stdtrit  # most processes that draw figures do without

    return float(stdtrit(freedom, 0.5 + 0.5 * CONFIDENCE))


@functools.cache
def _cochran_quantile(rules: int, freedom: int) -> float:
    """Return the largest share that one of equal variances may have in their sum."""
    from scipy.special import fdtri

    ratio = float(fdtri(freedom, (rules - 1) * freedom, 1.0 - _OUTLIER / rules))
    return 1.0 / (1.0 + (rules - 1) / ratio)


def _pool(values: Array, members: NDArray[np.intp]) -> _Pool:
    """Return the rules among `members` that scatter alike, about the means of the seeds and alone.

    Of two rules, the scatter about the seeds' means is the same; scatter alone tells them apart.
    """
    seeds = len(values)
    while len(members) > 1:
        own = values[:, members] - values[:, members].mean(axis=0)
        squares = np.square(own - own.mean(axis=1, keepdims=True)).sum(axis=0)
        outlier = _outlier(squares, seeds)
        if outlier is None:
            outlier = _outlier(np.square(own).sum(axis=0), seeds)
        if outlier is None:
            freedom = (len(members) - 1) * (seeds - 1)
            return _Pool(members, float(squares.sum()) / freedom, freedom)
        members = members[members != members[outlier]]
    return _Pool(members[:0], math.nan, 0)


def _outlier(squares: Array, seeds: int) -> int | None:
    """Return the place of the largest sum of squares if it is too large, by Cochran's test."""
    largest = int(squares.argmax())
    most = _cochran_quantile(len(squares), seeds - 1) * float(squares.sum())
    return largest if squares[largest] > most else None


def _reaches(
    values: Array,
    others: NDArray[np.intp],
    pooled: NDArray[np.intp],
    pool: _Pool,
    rules: int,
) -> Array:
    """Return half the widths of the intervals of the distances of `others` from the first rule.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (seeds, rules)
    others, pooled : numpy.ndarray of int
        Columns, and those of them that share the variance of `pool` with the first.
    pool : _Pool
    rules : int
        How many are compared, with the first.
    """
    seeds = len(values)
    alike = np.isin(others, pooled)
    found = np.empty(len(others))
    if alike.any():
        found[alike] = range_quantile(CONFIDENCE, rules, pool.freedom) * math.sqrt(
            pool.variance / seeds
        )
    if not alike.all():
        apart = others[~alike]
        own = np.std(values[:, :1] - values[:, apart], axis=0, ddof=1)
        found[~alike] = range_quantile(CONFIDENCE, rules, seeds - 1) * own / math.sqrt(2.0 * seeds)
    return found


def _estimates(values: Array, leading: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """Return corrected means and their intervals, of the leading rules by one variance."""
    seeds = len(values)
    mean, low, high = t_interval(values)
    if seeds < 2 or 0 not in leading:
        return mean, low, high
    pool = _pool(values, leading)
    if 0 not in pool.members:
        return mean, low, high
    own, count = values[:, pool.members], len(pool.members)
    means = own.mean(axis=0)
    spread = float(means.var(ddof=1))
    kept = max(0.0, 1.0 - pool.variance / seeds / spread) if spread > 0.0 else 0.0
    mean[pool.members] = means.mean() + kept * (means - means.mean())
    # variance of a run: that of the means of seeds, and that of runs about these means
    shared, rest = float(own.mean(axis=1).var(ddof=1)), (1.0 - 1.0 / count) * pool.variance
    if shared + rest > 0.0:
        squares = shared**2 / (seeds - 1) + rest**2 / pool.freedom
        half = student_quantile((shared + rest) ** 2 / squares)
        half *= math.sqrt((shared + rest) / seeds)
    else:
        half = 0.0
    low[pool.members] = mean[pool.members] - half
    high[pool.members] = mean[pool.members] + half
    return mean, low, high
