"""Rounds of samples in random order, and what resampling them says of their medians.

Methods take turns within a round, so that whatever slows the machine for a while slows all of
them. The bootstrap draws whole rounds, which keeps together what was measured together, in
blocks of neighbours (Künsch 1989, doi:10.1214/aos/1176347265; circular after Politis and Romano
1992), because a disturbance outlasts a round.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Call = Callable[[], Any]
Clock = Callable[[], int]
Array = NDArray[np.float64]

SAMPLE_NS = 1_000_000
"""Nanoseconds that one sample lasts at least; shorter calls are repeated within a sample."""

RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Prepared:
    """A method that is compiled and warm: `calls` calls fill a sample."""

    call: Call
    calls: int
    first_s: float


@dataclass(frozen=True)
class Stop:
    """When to stop: see `initperf.timing.compare_all`."""

    budget_seconds: float
    precision: float
    least_rounds: int
    pause_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.least_rounds < 2:
            raise ValueError(f"least_rounds is {self.least_rounds}; an interval takes 2 or more")
        if not self.budget_seconds >= 0:
            raise ValueError(f"budget_seconds is {self.budget_seconds}; it must be 0 or more")
        if not self.precision >= 0:
            raise ValueError(f"precision is {self.precision}; it must be 0 or more")
        if not self.pause_seconds >= 0:
            raise ValueError(f"pause_seconds is {self.pause_seconds}; it must be 0 or more")


def prepare(call: Call, clock: Clock) -> Prepared:
    """Compile and warm up a method, and find how many calls fill a sample."""
    first = _elapsed(call, 1, clock)
    calls = 1
    while (elapsed := _elapsed(call, calls, clock)) < SAMPLE_NS:
        wanted = math.ceil(1.1 * calls * SAMPLE_NS / max(elapsed, 1))
        calls = min(10 * calls, max(calls + 1, wanted))
    return Prepared(call, calls, first * 1e-9)


def take_rounds(
    methods: Sequence[Prepared],
    statistic: Callable[[Array], Array],
    stop: Stop,
    seed: int,
    clock: Clock,
) -> tuple[Array, Array]:
    """Take rounds until statistics of resampled medians are known well enough.

    Parameters
    ----------
    methods : sequence of Prepared
        Each is sampled once a round.
    statistic : callable
        Makes, from resampled medians, the values whose intervals shall be narrow.
    stop : Stop
        When to stop.
    seed : int
        Of the order within rounds and of the resampling.
    clock : callable
        Gives the time in integer nanoseconds.

    Returns
    -------
    samples : numpy.ndarray of float64, shape (rounds, methods)
        Seconds per call.
    medians : numpy.ndarray of float64, shape (resamples, methods)
        Their resampled medians.
    """
    rng = np.random.default_rng(seed)
    rows: list[list[float]] = []
    look_at = stop.least_rounds
    with _no_garbage_collection():
        begin = clock()
        while True:
            row = [0.0] * len(methods)
            for column in rng.permutation(len(methods)):
                method = methods[column]
                if stop.pause_seconds:
                    time.sleep(stop.pause_seconds)
                row[column] = _elapsed(method.call, method.calls, clock) * 1e-9 / method.calls
            rows.append(row)
            spent = (clock() - begin) * 1e-9 >= stop.budget_seconds
            if len(rows) < stop.least_rounds or not (spent or len(rows) >= look_at):
                continue
            samples = np.array(rows)
            medians = resampled_medians(samples, rng)
            low, high = interval(statistic(medians))
            if spent or np.all(np.sqrt(high / low) <= 1 + stop.precision):
                return samples, medians
            look_at = math.ceil(1.5 * len(rows))


def resampled_medians(
    samples: Array, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Array:
    """Resample rounds in circular blocks and take the median of each column.

    Parameters
    ----------
    samples : numpy.ndarray of float64, shape (rounds, methods)
        The values of a row were measured together.
    rng : numpy.random.Generator
        Draws the blocks.
    resamples : int
        How often.

    Returns
    -------
    numpy.ndarray of float64, shape (resamples, methods)
    """
    rounds, methods = samples.shape
    length = math.ceil(rounds ** (1 / 3))
    blocks = math.ceil(rounds / length)
    columns = np.ascontiguousarray(samples.T)
    medians = np.empty((resamples, methods))
    at_once = max(1, 2**20 // samples.size)
    for begin in range(0, resamples, at_once):
        count = min(at_once, resamples - begin)
        starts = rng.integers(rounds, size=(count, blocks, 1))
        chosen = ((starts + np.arange(length)) % rounds).reshape(count, -1)[:, :rounds]
        medians[begin : begin + count] = np.median(columns[:, chosen], axis=-1).T
    return medians


def interval(resampled: Array) -> tuple[Any, Any]:
    """Return the ends of the central 95 % of resampled values, column by column."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, (tail, 1 - tail), axis=0)
    return low, high


def _elapsed(call: Call, calls: int, clock: Clock) -> int:
    repeats = range(calls)
    begin = clock()
    for _ in repeats:
        call()
    return clock() - begin


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
