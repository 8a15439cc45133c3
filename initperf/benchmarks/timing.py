"""Timings on a noisy machine: interleaved, in random order, with intervals and an A/A null.

Methods that are compared take turns in rounds (`_rounds`). A method's time is the median over
the rounds, a comparison is the ratio of two medians, and both have an interval from one
bootstrap (`_bootstrap`). The baseline takes part twice: the ratio of its two times is 1 by
construction, and the deviation that is measured shows the noise of the other ratios. Methods
that can be prepared anew, with other memory, are so several times, the baseline apart from
itself too: intervals and null then contain the chance in preparing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initperf.benchmarks._bootstrap import Array, bootstrap, medians_themselves
from initperf.benchmarks._rounds import Call, Prepared, Stopwatch, take_samples
from initperf.benchmarks.budget import Budget

_ALONE = Budget(seconds=1.0)
_STOPWATCH = Stopwatch()


@dataclass(frozen=True, eq=False)
class Timing:
    """The time that one call takes.

    Attributes
    ----------
    samples_s : numpy.ndarray of float64, shape (rounds,)
        Seconds a call took in each round, in the order of the rounds.
    calls : int
        Calls in a sample; the sample is their mean.
    first_s : float
        Seconds of the very first call, apart from all others: a compilation would be in it.
    median_s, low_s, high_s : float
        The median of the samples and its 95 % interval, in seconds.
    """

    samples_s: Array
    calls: int
    first_s: float
    median_s: float
    low_s: float
    high_s: float

    @property
    def rounds(self) -> int:
        """The number of samples."""
        return len(self.samples_s)

    def record(self) -> dict[str, Any]:
        """Return median, interval, rounds and samples under the names of a row's fields."""
        names = ("median_s", "low_s", "high_s", "rounds", "samples_s")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, eq=False)
class Comparison:
    """The speed of a candidate relative to a baseline, with its uncertainty.

    Attributes
    ----------
    baseline, candidate : Timing
        The two, measured in the same rounds.
    ratio, ratio_low, ratio_high : float
        Median time of the baseline over that of the candidate, with its 95 % interval: 2 means
        that the candidate is twice as fast, 0.5 that it takes twice the time.
    null_ratio, null_low, null_high : float
        The same for the baseline against itself.
    """

    baseline: Timing
    candidate: Timing
    ratio: float
    ratio_low: float
    ratio_high: float
    null_ratio: float
    null_low: float
    null_high: float

    @property
    def noise(self) -> float:
        """Largest deviation from 1, as a fraction, in the interval of the null ratio."""
        return max(self.null_high, 1 / self.null_low) - 1

    @property
    def differs(self) -> bool:
        """Whether the interval lies beyond the noise of the baseline against itself."""
        bound = 1 + self.noise
        return self.ratio_low > bound or self.ratio_high < 1 / bound

    def record(self) -> dict[str, Any]:
        """Return the ratios under their names, as a benchmark's JSON carries them."""
        names = ("ratio", "ratio_low", "ratio_high", "null_ratio", "null_low", "null_high")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        return (
            f"{self.ratio:.3g} ({self.ratio_low:.3g} to {self.ratio_high:.3g}) times as fast, "
            f"A/A {self.null_ratio:.3g} ({self.null_low:.3g} to {self.null_high:.3g}), "
            f"{self.candidate.rounds} rounds"
        )


def measure(
    call: Call, budget: Budget = _ALONE, *, seed: int = 0, watch: Stopwatch = _STOPWATCH
) -> Timing:
    """Time one callable.

    Parameters
    ----------
    call : callable
        Called without arguments; what it returns is dropped.
    budget : Budget
        When to stop; it is prepared once, whatever the preparations.
    seed : int
        Of the resampling.
    watch : Stopwatch
        Gives the time.

    Returns
    -------
    Timing
    """
    once = replace(budget, preparations=1)
    methods, samples, _ = take_samples(lambda: [call], medians_themselves, once, seed, watch)
    low, high = bootstrap(samples, rng=np.random.default_rng(seed))
    return _timing(methods[0], samples[:, 0], float(low[0]), float(high[0]))


def compare(
    a: Call,
    b: Call,
    budget: Budget = Budget(),
    *,
    seed: int = 0,
    watch: Stopwatch = _STOPWATCH,
) -> Comparison:
    """Compare a candidate `b` with a baseline `a` that does the same work.

    Parameters
    ----------
    a, b : callable
        Baseline and candidate, called without arguments. With several preparations, functions
        that prepare them instead: each call returns the callable to be timed.
    budget, seed, watch
        As for `compare_all`.

    Returns
    -------
    Comparison
        Its ratio is the time of `a` over the time of `b`.
    """
    return compare_all({"a": a, "b": b}, budget, seed=seed, watch=watch)["b"]


def compare_all(
    methods: Mapping[str, Call],
    budget: Budget = Budget(),
    *,
    baseline: str | None = None,
    seed: int = 0,
    watch: Stopwatch = _STOPWATCH,
) -> dict[str, Comparison]:
    """Compare several methods of doing the same work with one of them.

    Parameters
    ----------
    methods : mapping of str to callable
        The methods, called without arguments. With several preparations, functions that
        prepare them instead: each call returns the callable to be timed.
    budget : Budget
        When to stop, and how often the methods are prepared.
    baseline : str, optional
        Which of them the others are compared with; without it, the first.
    seed : int
        Of the order within rounds and of the resampling.
    watch : Stopwatch
        Gives the time.

    Returns
    -------
    dict of str to Comparison
        In the order of `methods`. The baseline's own entry compares it with itself.

    Raises
    ------
    ValueError
        When there are no methods, or the baseline is not among them.
    """
    if not methods:
        raise ValueError("methods is empty: there is nothing to compare")
    baseline = next(iter(methods)) if baseline is None else baseline
    if baseline not in methods:
        raise ValueError(f"baseline {baseline!r} is not among {', '.join(methods)}")
    names = [baseline, *(name for name in methods if name != baseline)]
    columns = [methods[name] for name in (baseline, *names)]

    def prepare_all() -> list[Call]:
        return columns if budget.preparations == 1 else [make() for make in columns]

    prepared, samples, count = take_samples(prepare_all, _ratios, budget, seed, watch)
    rng = np.random.default_rng(seed)
    low, high = bootstrap(samples, _medians_and_ratios, preparations=count, rng=rng)
    ends = list(zip(low.tolist(), high.tolist(), strict=True))
    timings = [
        _timing(method, column, *own)
        for method, column, own in zip(prepared, samples.T, ends, strict=False)
    ]
    first, *others = timings
    null, *_ = ratios = [
        (first.median_s / timing.median_s, *own)
        for timing, own in zip(others, ends[len(timings) :], strict=True)
    ]
    found = {
        name: Comparison(first, timing, *ratio, *null)
        for name, timing, ratio in zip(names, others, ratios, strict=True)
    }
    return {name: found[name] for name in methods}


def _ratios(medians: Array) -> Array:
    return medians[:, :1] / medians[:, 1:]


def _medians_and_ratios(medians: Array) -> Array:
    return np.hstack([medians, _ratios(medians)])


def _timing(method: Prepared, samples: Array, low: float, high: float) -> Timing:
    return Timing(samples, method.calls, method.first_s, float(np.median(samples)), low, high)
