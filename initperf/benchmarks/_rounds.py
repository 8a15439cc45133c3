"""Rounds of samples, in which methods take turns in an order drawn anew for every round.

A disturbance of the machine slows all methods of a round. The garbage collector is off during the
rounds; the first call, which compiles, is timed apart, and warm-up is not counted.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initperf.benchmarks._bootstrap import FEWEST_FOR_CORRELATION, Array, bootstrap
from initperf.benchmarks.budget import Budget

Call = Callable[[], Any]

SAMPLE_NS = 1_000_000
"""Nanoseconds that one sample lasts at least; shorter calls are repeated within a sample."""


@dataclass(frozen=True)
class Stopwatch:
    """The time, and how to let it pass.

    Attributes
    ----------
    now_ns : callable
        Gives the time in integer nanoseconds.
    sleep : callable
        Waits for so many seconds.
    """

    now_ns: Callable[[], int] = time.perf_counter_ns
    sleep: Callable[[float], object] = time.sleep

    def elapsed_ns(self, call: Call, calls: int) -> int:
        """Return the nanoseconds that a number of calls takes.

        Parameters
        ----------
        call : callable
            Called without arguments.
        calls : int
            How often.

        Returns
        -------
        int
        """
        repeats = range(calls)
        begin = self.now_ns()
        for _ in repeats:
            call()
        return self.now_ns() - begin


@dataclass(frozen=True)
class Prepared:
    """A method that is compiled and warm: `calls` calls fill a sample."""

    call: Call
    calls: int
    first_s: float


def prepare(call: Call, watch: Stopwatch) -> Prepared:
    """Compile and warm up a method, and find how many calls fill a sample.

    Parameters
    ----------
    call : callable
        The method, called without arguments.
    watch : Stopwatch
        Gives the time.

    Returns
    -------
    Prepared
    """
    first = watch.elapsed_ns(call, 1)
    calls = 1
    while (elapsed := watch.elapsed_ns(call, calls)) < SAMPLE_NS:
        wanted = math.ceil(1.1 * calls * SAMPLE_NS / max(elapsed, 1))
        calls = min(10 * calls, max(calls + 1, wanted))
    return Prepared(call, calls, first * 1e-9)


def take_samples(
    prepare_all: Callable[[], Sequence[Call]],
    statistic: Callable[[Array], Array],
    budget: Budget,
    seed: int,
    watch: Stopwatch,
) -> tuple[list[Prepared], Array, int]:
    """Sample methods in turns until statistics of their medians are known well enough.

    Parameters
    ----------
    prepare_all : callable
        Returns the methods, one a column; called once for each preparation.
    statistic : callable
        Makes, from medians, the positive values whose intervals shall be narrow.
    budget : Budget
        When to stop, and how many preparations there are.
    seed : int
        Of the order within rounds and of the resampling.
    watch : Stopwatch
        Gives the time.

    Returns
    -------
    methods : list of Prepared
        The first preparation of each.
    samples : numpy.ndarray of float64, shape (rounds, methods)
        Seconds per call, those of one preparation after those of another.
    preparations : int
        How many there were; each has an equal number of rounds.
    """
    rng = np.random.default_rng(seed)
    with _no_garbage_collection():
        methods = _prepare_each(prepare_all(), watch)
        begin = watch.now_ns()
        parts = [_until_precise(methods, statistic, budget, rng, watch)]
        while len(parts) < budget.preparations:
            spent = (watch.now_ns() - begin) * 1e-9 >= budget.seconds
            if spent and len(parts) >= budget.least_preparations:
                break
            again = [
                replace(method, call=call)
                for method, call in zip(methods, prepare_all(), strict=True)
            ]
            for method in again:
                watch.elapsed_ns(method.call, method.calls)
            rounds = range(len(parts[0]))
            parts.append(np.array([_round(again, budget, rng, watch) for _ in rounds]))
    return methods, np.concatenate(parts), len(parts)


def _prepare_each(calls: Sequence[Call], watch: Stopwatch) -> list[Prepared]:
    """Prepare methods, a callable that fills several columns once."""
    known = {call: prepare(call, watch) for call in dict.fromkeys(calls)}
    return [known[call] for call in calls]


def _until_precise(
    methods: Sequence[Prepared],
    statistic: Callable[[Array], Array],
    budget: Budget,
    rng: np.random.Generator,
    watch: Stopwatch,
) -> Array:
    rows: list[list[float]] = []
    several, budget = budget.preparations > 1, budget.of_one_preparation()
    # in fewer rounds lasting disturbances look like independent noise: too narrow an interval
    look_at = max(budget.least_rounds, 0 if several else FEWEST_FOR_CORRELATION)
    begin = watch.now_ns()
    while True:
        rows.append(_round(methods, budget, rng, watch))
        spent = (watch.now_ns() - begin) * 1e-9 >= budget.seconds
        if len(rows) < budget.least_rounds or not (spent or len(rows) >= look_at):
            continue
        samples = np.array(rows)
        if spent:
            return samples
        low, high = bootstrap(samples, statistic, rng=rng)
        if np.all(np.sqrt(high / low) <= 1 + budget.precision):
            return samples
        look_at = math.ceil(1.5 * len(rows))


def _round(
    methods: Sequence[Prepared], budget: Budget, rng: np.random.Generator, watch: Stopwatch
) -> list[float]:
    row = [0.0] * len(methods)
    for column in rng.permutation(len(methods)):
        method = methods[column]
        if budget.pause_seconds:
            watch.sleep(budget.pause_seconds)
        row[column] = watch.elapsed_ns(method.call, method.calls) * 1e-9 / method.calls
    return row


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Collect garbage, and then no more within the block."""
    collecting = gc.isenabled()
    if collecting:
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
