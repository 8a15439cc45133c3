"""Rounds of samples in random order, and what resampling them says of their medians.

Methods take turns within a round, so that whatever slows the machine for a while slows all of
them. The bootstrap draws whole rounds, which keeps together what was measured together, in
blocks of neighbours (Künsch 1989, doi:10.1214/aos/1176347265; circular after Politis and Romano
1992), because a disturbance outlasts a round.

Where memory happens to lie can cost one array a seventh of its speed for as long as it lives
(Mytkowicz et al. 2009, doi:10.1145/1508244.1508275). So methods can be prepared anew several
times, and the bootstrap then draws preparations first and rounds within them second. Intervals
from few preparations are too narrow, and are expanded as Hesterberg (2015,
doi:10.1080/00031305.2015.1089789) says.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

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
    """When to stop: see `initperf.benchmarks.timing.compare_all`."""

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


def warm(method: Prepared, call: Call, clock: Clock) -> Prepared:
    """Replace a method's callable by a new one, after as many uncounted calls as fill a sample."""
    _elapsed(call, method.calls, clock)
    return replace(method, call=call)


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
    with no_garbage_collection():
        begin = clock()
        while True:
            rows.append(_round(methods, stop.pause_seconds, rng, clock))
            spent = (clock() - begin) * 1e-9 >= stop.budget_seconds
            if len(rows) < stop.least_rounds or not (spent or len(rows) >= look_at):
                continue
            samples = np.array(rows)
            medians = resampled_medians(samples, rng)
            low, high = interval(statistic(medians))
            if spent or np.all(np.sqrt(high / low) <= 1 + stop.precision):
                return samples, medians
            look_at = math.ceil(1.5 * len(rows))


def take_rounds_again(
    methods: Sequence[Prepared], count: int, pause_seconds: float, seed: int, clock: Clock
) -> Array:
    """Take a given number of rounds; parameters and samples as of `take_rounds`."""
    rng = np.random.default_rng(seed)
    with no_garbage_collection():
        return np.array([_round(methods, pause_seconds, rng, clock) for _ in range(count)])


def _round(
    methods: Sequence[Prepared], pause_seconds: float, rng: np.random.Generator, clock: Clock
) -> list[float]:
    row = [0.0] * len(methods)
    for column in rng.permutation(len(methods)):
        method = methods[column]
        if pause_seconds:
            time.sleep(pause_seconds)
        row[column] = _elapsed(method.call, method.calls, clock) * 1e-9 / method.calls
    return row


def resampled_medians(
    samples: Array, rng: np.random.Generator, resamples: int = RESAMPLES, preparations: int = 1
) -> Array:
    """Resample preparations, and their rounds in circular blocks; take each column's median.

    Parameters
    ----------
    samples : numpy.ndarray of float64, shape (rounds, methods)
        The values of a row were measured together.
    rng : numpy.random.Generator
        Draws the preparations and the blocks.
    resamples : int
        How often.
    preparations : int
        So many equal parts of the rounds, one after the other, were prepared apart.

    Returns
    -------
    numpy.ndarray of float64, shape (resamples, methods)
    """
    methods = samples.shape[1]
    rounds = len(samples) // preparations
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


def interval(resampled: Array, preparations: int = 1) -> tuple[Any, Any]:
    """Return the ends of the central 95 % of resampled values, column by column.

    The fewer the preparations were, two or more, the more is added on either side.
    """
    tail = (1 - CONFIDENCE) / 2
    if preparations > 1:
        # Student's quantile instead of the normal one, and the variance's missing k / (k − 1)
        least = stdtrit(preparations - 1, tail) * math.sqrt(preparations / (preparations - 1))
        tail = float(ndtr(least))
    low, high = np.quantile(resampled, (tail, 1 - tail), axis=0)
    return low, high


def _elapsed(call: Call, calls: int, clock: Clock) -> int:
    repeats = range(calls)
    begin = clock()
    for _ in repeats:
        call()
    return clock() - begin


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect garbage, and then no more within the block; once where blocks are nested."""
    collecting = gc.isenabled()
    if collecting:
        gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
