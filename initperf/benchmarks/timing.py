"""Timings that survive a noisy machine: interleaved, in random order, with intervals and a null.

Methods that are compared take turns in rounds, in an order drawn anew for every round. A
method's time is the median over the rounds, and a comparison is the ratio of two medians, with
an interval from a bootstrap over rounds (`_rounds`). The baseline takes part twice: the
ratio of its two times is 1 by construction, and how far from 1 it is measured shows how much the
other ratios are worth. The garbage collector is off meanwhile; the first call, which compiles,
is timed apart, and warm-up is not counted. Methods that can be prepared anew, with other memory,
are so several times, the baseline apart from itself too: the intervals and the null then show
what chance in preparing does.
"""

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initperf.benchmarks._rounds import (
    Array,
    Call,
    Clock,
    Prepared,
    Stop,
    interval,
    no_garbage_collection,
    prepare,
    resampled_medians,
    take_rounds,
    take_rounds_again,
    warm,
)

FEWEST_PREPARATIONS = 3
_FEWEST_ROUNDS = 3  # of a preparation
_MANY_RESAMPLES = 4000  # the tails beyond 95 % must be seen


@dataclass(frozen=True, eq=False)
class Timing:
    """How long one call takes.

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


@dataclass(frozen=True, eq=False)
class Comparison:
    """How many times as fast a candidate is as a baseline, and how much to believe it.

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
        """How far from 1, as a fraction, the baseline may seem to be from itself."""
        return max(self.null_high, 1 / self.null_low) - 1

    @property
    def differs(self) -> bool:
        """Whether the interval lies beyond what the baseline shows against itself."""
        bound = 1 + self.noise
        return self.ratio_low > bound or self.ratio_high < 1 / bound

    def record(self) -> dict[str, float]:
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
    call: Call,
    *,
    budget_seconds: float = 1.0,
    precision: float = 0.02,
    least_rounds: int = 5,
    seed: int = 0,
    clock: Clock = time.perf_counter_ns,
) -> Timing:
    """Time one callable.

    Parameters
    ----------
    call : callable
        Called without arguments; what it returns is dropped.
    budget_seconds : float
        Seconds after which no further round begins.
    precision : float
        Stop as soon as the interval is within this fraction of the median, on either side.
    least_rounds : int
        Rounds that are taken whatever the budget, at least 2.
    seed : int
        Of the resampling.
    clock : callable
        Gives the time in integer nanoseconds.

    Returns
    -------
    Timing
    """
    stop = Stop(budget_seconds, precision, least_rounds)
    method = prepare(call, clock)
    samples, medians = take_rounds([method], lambda medians: medians, stop, seed, clock)
    return _timing(method, samples[:, 0], medians[:, 0], 1)


def compare(
    a: Call,
    b: Call,
    *,
    budget_seconds: float = 2.0,
    precision: float = 0.02,
    least_rounds: int = 5,
    pause_seconds: float = 0.0,
    preparations: int = 1,
    least_preparations: int = FEWEST_PREPARATIONS,
    seed: int = 0,
    clock: Clock = time.perf_counter_ns,
) -> Comparison:
    """Compare a candidate `b` with a baseline `a` that does the same work.

    Parameters
    ----------
    a, b : callable
        Baseline and candidate, called without arguments. With several `preparations`, functions
        that prepare them instead: each call returns the callable to be timed.
    budget_seconds, precision, least_rounds, pause_seconds, preparations, \
    least_preparations, seed, clock
        As for `compare_all`.

    Returns
    -------
    Comparison
        Its ratio is the time of `a` over the time of `b`.
    """
    return compare_all(
        {"a": a, "b": b},
        budget_seconds=budget_seconds,
        precision=precision,
        least_rounds=least_rounds,
        pause_seconds=pause_seconds,
        preparations=preparations,
        least_preparations=least_preparations,
        seed=seed,
        clock=clock,
    )["b"]


def compare_all(
    methods: Mapping[str, Call],
    *,
    baseline: str | None = None,
    budget_seconds: float = 2.0,
    precision: float = 0.02,
    least_rounds: int = 5,
    pause_seconds: float = 0.0,
    preparations: int = 1,
    least_preparations: int = FEWEST_PREPARATIONS,
    seed: int = 0,
    clock: Clock = time.perf_counter_ns,
) -> dict[str, Comparison]:
    """Compare several methods of doing the same work with one of them.

    Parameters
    ----------
    methods : mapping of str to callable
        The methods, called without arguments. With several `preparations`, functions that
        prepare them instead: each call returns the callable to be timed.
    baseline : str, optional
        Which of them the others are compared with; without it, the first.
    budget_seconds : float
        Seconds of rounds after which no further round begins; first calls are not counted.
    precision : float
        Stop as soon as every ratio's interval is within this fraction of it, on either side; of
        several preparations the first stops so, and the others take as many rounds.
    least_rounds : int
        Rounds that are taken whatever the budget, at least 2.
    pause_seconds : float
        Rest before every sample, uncounted. The threads of a BLAS or of OpenMP spin on after a
        call, those of OpenBLAS for some 0.1 s, on a processor that the next method could use:
        where methods have different pools of threads, let them go to sleep first.
    preparations : int
        How often all is prepared anew, each time for an equal part of the rounds. Where data
        lie in memory can make one preparation a seventh slower than the next; ten average that
        out.
    least_preparations : int
        So many are enough when the budget is spent.
    seed : int
        Of the order within rounds and of the resampling.
    clock : callable
        Gives the time in integer nanoseconds.

    Returns
    -------
    dict of str to Comparison
        In the order of `methods`. The baseline's own entry compares it with itself.

    Raises
    ------
    ValueError
        When there are no methods or the baseline is not among them, or there is no preparation.
    """
    if not methods:
        raise ValueError("methods is empty: there is nothing to compare")
    baseline = next(iter(methods)) if baseline is None else baseline
    if baseline not in methods:
        raise ValueError(f"baseline {baseline!r} is not among {', '.join(methods)}")
    if preparations < 1:
        raise ValueError(f"preparations is {preparations}; it must be 1 or more")
    stop = Stop(budget_seconds, precision, least_rounds, pause_seconds)
    names = [baseline, *(name for name in methods if name != baseline)]
    twice = [methods[name] for name in (baseline, *names)]
    if preparations == 1:
        prepared = [prepare(methods[name], clock) for name in names]
        columns, count = [prepared[0], *prepared], 1
        samples, medians = take_rounds(columns, _ratios, stop, seed, clock)
    else:
        columns, samples, count = _prepared_again(
            twice, preparations, least_preparations, stop, seed, clock
        )
        medians = resampled_medians(
            samples, np.random.default_rng(seed), _MANY_RESAMPLES, preparations=count
        )
    first, *timings = (
        _timing(*column, count) for column in zip(columns, samples.T, medians.T, strict=True)
    )
    lows, highs = interval(_ratios(medians), count)
    null, *_ = ratios = [
        (first.median_s / timing.median_s, float(low), float(high))
        for timing, low, high in zip(timings, lows, highs, strict=True)
    ]
    found = {
        name: Comparison(first, timing, *ratio, *null)
        for name, timing, ratio in zip(names, timings, ratios, strict=True)
    }
    return {name: found[name] for name in methods}


def _ratios(medians: Array) -> Array:
    return medians[:, :1] / medians[:, 1:]


def _prepared_again(
    makers: Sequence[Call], preparations: int, least: int, stop: Stop, seed: int, clock: Clock
) -> tuple[list[Prepared], Array, int]:
    """Take equal parts of the rounds with methods prepared anew; return how many parts too."""
    part = dataclasses.replace(
        stop,
        budget_seconds=stop.budget_seconds / preparations,
        least_rounds=max(_FEWEST_ROUNDS, math.ceil(stop.least_rounds / preparations)),
    )
    with no_garbage_collection():
        columns = [prepare(make(), clock) for make in makers]
        begin = clock()
        samples, _ = take_rounds(columns, _ratios, part, seed, clock)
        parts = [samples]
        while len(parts) < preparations:
            spent = (clock() - begin) * 1e-9 >= stop.budget_seconds
            if spent and len(parts) >= least:
                break
            calls = [make() for make in makers]
            again = [warm(*pair, clock) for pair in zip(columns, calls, strict=True)]
            order = seed + len(parts)
            parts.append(take_rounds_again(again, len(samples), stop.pause_seconds, order, clock))
    return columns, np.concatenate(parts), len(parts)


def _timing(method: Prepared, samples: Array, medians: Array, preparations: int) -> Timing:
    low, high = interval(medians, preparations)
    middle = float(np.median(samples))
    return Timing(samples, method.calls, method.first_s, middle, float(low), float(high))
