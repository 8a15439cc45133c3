"""Whether times changed between two sessions, by more than sessions of the same code differ.

The interval of a median tells how far samples of one session scatter. Between two sessions more
changes: where memory lies, who else is on the machine, how fast its clock runs; intervals within
a session cannot see that. So it is learned from what did not change between the two, the
yardsticks: other libraries, and the baselines that took turns with the benchmarks.

- A session's time is the least of its passes' medians: what disturbs only slows.
- It has changed as far as two measures agree: seconds, less what the median yardstick changed,
  and, where there is one, the ratio to the baseline of the same rounds. The one sees what befell
  the baseline, the other what befell the machine; a slower kernel is slower by both.
- Its error joins the spread of the yardsticks' own changes (1.4826 times their median absolute
  deviation, which those that did change hardly move) with how far its two best passes lay apart.
- As many are judged at once, intervals are simultaneous: all of them hold together with 95 %
  (Bonferroni's inequality needs no independence, and benchmarks of one kernel have none).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from initperf.benchmarks.results_file import Measured

CONFIDENCE = 0.95
FEWEST_YARDSTICKS = 8
ASSUMED_SPREAD = 0.03
"""Standard deviation of a change of nothing, where too few yardsticks tell it."""

THREADED_SPREAD = 0.07
"""The same of a work on several threads in sessions shorter than a disturbance, to be added. Rivals
do not tell it: of 16 sessions of one code, 25 s each, pairs scattered by 6.7 % on two threads and
by 1.6 % on one, while the second processor of a virtual machine was slow for a minute or two."""

DISTURBANCE_SECONDS = 120.0
"""Where passes lie so far apart, one at least is undisturbed: pairs scattered by 1.7 %."""

_SCALE = 1.4826  # of a median absolute deviation, to a normal law's standard deviation
_LEAST_SPREAD = 0.01  # two clocks of one processor agree no better
_LARGEST = 700.0  # logarithm that is still a float's
_FREEDOM = 8  # of Student's law: tails heavier than normal, as those of disturbances are


@dataclass(frozen=True)
class Machine:
    """How the yardsticks changed from one session to the next, in logarithms.

    Attributes
    ----------
    drift : float
        The median of their changes.
    spread : float
        The standard deviation of one about it.
    yardsticks : int
        How many there were.
    """

    drift: float
    spread: float
    yardsticks: int

    def __str__(self) -> str:
        if self.yardsticks < FEWEST_YARDSTICKS:
            return (
                f"{self.yardsticks} yardsticks are too few to tell how the machine changed: "
                f"a spread of {ASSUMED_SPREAD:.0%} is assumed"
            )
        return (
            f"the machine took {math.exp(self.drift):.3f} of the time by the median of "
            f"{self.yardsticks} yardsticks; a change of nothing is taken to spread by "
            f"{self.spread:.1%}"
        )


@dataclass(frozen=True)
class Change:
    """How a benchmark changed; factors of its time, above 1 is slower.

    Attributes
    ----------
    seconds, baseline : float
        By seconds, corrected for the machine's drift, and by the ratio to its baseline: NaN
        where it has none.
    ratio : float
        What both agree on: the one nearer to 1, or 1 where they contradict each other.
    error : float
        The standard error of the ratio's logarithm.
    """

    seconds: float
    baseline: float
    ratio: float
    error: float

    def interval(self, together: int) -> tuple[float, float]:
        """Return the ends of an interval that holds, with `together` like it, with 95 %."""
        quantile = float(student.isf((1 - CONFIDENCE) / (2 * max(1, together)), _FREEDOM))
        reach = math.exp(min(quantile * self.error, _LARGEST))
        return self.ratio / reach, self.ratio * reach


def judge_machine(pairs: Iterable[tuple[Measured, Measured]]) -> Machine:
    """Learn from benchmarks of both sessions how times change when nothing did.

    Parameters
    ----------
    pairs : iterable of tuple
        Each benchmark, old and new.

    Returns
    -------
    Machine
        Without drift, and of an assumed spread, where yardsticks are few.
    """
    changes, baselines = [], {}
    for old, new in pairs:
        if old.baseline_s and new.baseline_s:
            # methods that took turns all carry the one baseline
            pair = f"{old.baseline_s:.9g} {new.baseline_s:.9g}"
            baselines[pair] = math.log(new.baseline_s / old.baseline_s)
        if new.is_yardstick and old.least_s > 0 and new.least_s > 0:
            changes.append(math.log(new.least_s / old.least_s))
    changes += baselines.values()
    if len(changes) < FEWEST_YARDSTICKS:
        return Machine(0.0, ASSUMED_SPREAD, len(changes))
    drift = float(np.median(changes))
    spread = _SCALE * float(np.median(np.abs(np.array(changes) - drift)))
    return Machine(drift, max(spread, _LEAST_SPREAD), len(changes))


def judge(old: Measured, new: Measured, machine: Machine) -> Change:
    """Return how a benchmark changed; of times that are not positive, all is NaN."""
    if min(old.least_s, new.least_s) <= 0:
        return Change(*[math.nan] * 4)
    seconds = math.log(new.least_s / old.least_s)
    measures = [seconds - machine.drift]
    if old.baseline_s and new.baseline_s:
        measures.append(seconds - math.log(new.baseline_s / old.baseline_s))
    short = min(old.span_s, new.span_s) < DISTURBANCE_SECONDS
    threaded = THREADED_SPREAD if new.is_threaded and short else 0.0
    error = math.hypot(machine.spread, threaded, old.error, new.error)
    by_baseline = measures[1] if len(measures) > 1 else math.nan
    return Change(math.exp(measures[0]), math.exp(by_baseline), math.exp(_agreed(measures)), error)


def _agreed(measures: Sequence[float]) -> float:
    if min(measures) < 0 < max(measures):
        return 0.0
    return min(measures, key=abs)
