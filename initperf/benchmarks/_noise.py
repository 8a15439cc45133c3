"""Noise between two sessions: by how much times of unchanged code differ, by control benchmarks.

The interval of a median shows how far samples of one session scatter. Between two sessions more
changes: the place of data in memory, the load of the machine, its clock rate. Intervals within
a session cannot show that; the control benchmarks of both sessions do, which time code that is
not initperf's: other libraries, the baselines that took turns with benchmarks, and loops on
several threads (`initperf.benchmarks.controls`).

- A session's time is the lower decile of the samples of its quickest pass: disturbances only
  slow (see `Benchmark.least_s`).
- Benchmarks on one thread and on several have noise of their own, each from controls with as
  many: a disturbance of one processor holds up all threads of a benchmark. Threads add noise and
  take none away: that of several threads is no less than that of one.
- The drift is the median of the controls' changes, in logarithms, and their standard deviation
  1.4826 times the median absolute deviation (MAD), which those that did change hardly move.
- Few controls tell little of a variance. As in the moderated t-test of Smyth (2004,
  doi:10.2202/1544-6115.1027), it is the mean of a prior and of the controls' own, weighted by
  degrees of freedom, and Student's distribution with the sum of them replaces the normal one:
  without controls, only large changes are told from noise.
- Benchmarks may scatter more than controls do, which their own repetitions tell: what scatters
  more within a session differs more between sessions. The spread of a benchmark's samples over
  that of the controls' multiplies the noise where it is above 1. Changes between the sessions have
  no part in it: they may be what is looked for.
- As many benchmarks are judged at once, intervals are simultaneous: all of them hold together
  with 99 % (Bonferroni's inequality needs no independence), so that of a hundred comparisons of
  unchanged code one raises a false alarm.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

from initperf.benchmarks.results_file import Benchmark

Pair = tuple[Benchmark, Benchmark]

TOGETHER = 0.99
"""Probability with which the intervals of all benchmarks of a comparison hold."""

FEWEST_CONTROLS = 8
"""Controls from which the drift is estimated; the median of fewer is mostly noise."""

PRIOR_STD, PRIOR_FREEDOM = 0.02, 4.0
"""Assumption before any control is seen: the standard deviation between sessions of the time of
unchanged code, and the degrees of freedom that it counts for. Four are the most with tails so heavy
that the fourth moment is infinite: of ten benchmarks without controls, only changes beyond 21 % are
told from noise."""

_FEWEST_SPREADS = 3
_MAD_TO_STD = 1.4826  # of a normal distribution
_MAD_EFFICIENCY = 0.37  # its variance relative to the standard deviation's, of a normal one
_LARGEST = 700.0  # logarithm that is still a float's


@dataclass(frozen=True)
class Noise:
    """The distribution of the logarithm of new over old time, of code that did not change.

    Attributes
    ----------
    drift : float
        Its median.
    std : float
        Its standard deviation about the drift, the drift's own uncertainty included.
    freedom : float
        Degrees of freedom of the standard deviation.
    controls : int
        Control benchmarks that it was learned from.
    spread : float
        The median spread of their samples within a session, as of `Benchmark.spread`; 0 where
        fewer than three have samples.
    """

    drift: float
    std: float
    freedom: float
    controls: int
    spread: float = 0.0

    def __str__(self) -> str:
        count = f"{self.controls} control benchmark{'s' * (self.controls != 1)}"
        drift = f", drift ×{math.exp(self.drift):.3f}" if self.drift else ""
        return f"σ = {self.std:.1%} ({count}{drift})".replace("%", " %")


@dataclass(frozen=True)
class SessionNoise:
    """The noise of benchmarks on one thread, and of those on several.

    Attributes
    ----------
    one, several : Noise
        By the number of threads, as the controls show it.
    """

    one: Noise
    several: Noise

    def of(self, old: Benchmark, new: Benchmark) -> Noise:
        """Return the noise of a benchmark, by its threads and its samples' spread.

        Parameters
        ----------
        old, new : Benchmark
            The benchmark in the two sessions.
        """
        own = self.several if new.is_threaded else self.one
        if not own.spread:
            return own
        factor = math.hypot(old.spread, new.spread) / math.sqrt(2.0) / own.spread
        return replace(own, std=max(1.0, factor) * own.std)

    def __str__(self) -> str:
        return f"noise between sessions: {self.one}; on several threads {self.several}"


@dataclass(frozen=True)
class Change:
    """The change of a benchmark in factors of its time, above 1 is slower.

    Attributes
    ----------
    seconds, baseline : float
        By seconds, corrected for the drift, and by the ratio to its baseline: NaN where it has
        none.
    ratio : float
        What both agree on: the one nearer to 1, or 1 where they contradict each other.
    error : float
        The standard error of the ratio's logarithm.
    freedom : float
        Degrees of freedom of the error.
    """

    seconds: float
    baseline: float
    ratio: float
    error: float
    freedom: float

    def interval(self, together: int) -> tuple[float, float]:
        """Return the ends of an interval that holds, with `together` like it, with 99 %."""
        tail = (1 - TOGETHER) / (2 * max(1, together))
        reach = math.exp(min(float(student.isf(tail, self.freedom)) * self.error, _LARGEST))
        return self.ratio / reach, self.ratio * reach


def session_noise(pairs: Iterable[Pair]) -> SessionNoise:
    """Learn from the benchmarks of both sessions how times change when nothing did.

    Parameters
    ----------
    pairs : iterable of tuple of Benchmark
        Each benchmark that can be judged, and each control, old and new.

    Returns
    -------
    SessionNoise
    """
    pairs = list(pairs)
    changes: dict[bool, list[float]] = {False: [], True: []}
    baselines: dict[tuple[str, str], float] = {}
    for old, new in pairs:
        if old.baseline_s and new.baseline_s and new.extra.get("role") != "control":
            # methods that took turns all carry the one baseline; those of controls are the same
            # loops on one thread, too alike to stand for the noise of libraries
            key = f"{old.baseline_s:.9g}", f"{new.baseline_s:.9g}"
            baselines[key] = math.log(new.baseline_s / old.baseline_s)
        if new.is_control and old.least_s > 0 and new.least_s > 0:
            changes[new.is_threaded].append(math.log(new.least_s / old.least_s))
    changes[False] += baselines.values()
    every = [*changes[False], *changes[True]]
    drift = _drift(every)
    one, several = (
        _noise(own, _drift(own) if len(own) >= FEWEST_CONTROLS else drift)
        for own in (changes[False], changes[True])
    )
    several = replace(several, std=max(several.std, one.std))
    spreads: dict[bool, list[float]] = {False: [], True: []}
    for old, new in pairs:
        if new.is_control:
            spreads[new.is_threaded] += [old.spread, new.spread]
    return SessionNoise(
        replace(one, spread=_usual(spreads[False])), replace(several, spread=_usual(spreads[True]))
    )


def _usual(spreads: Sequence[float]) -> float:
    return float(np.median(spreads)) if len(spreads) >= 2 * _FEWEST_SPREADS else 0.0


def _scale(values: Sequence[float], centre: float) -> float:
    """Return the standard deviation of values by their MAD about a centre."""
    mad = float(np.median(np.abs(np.array(values) - centre)))
    # the factor for small samples of Croux and Rousseeuw (1992)
    return _MAD_TO_STD * len(values) / (len(values) - 0.8) * mad


def _drift(changes: Sequence[float]) -> float:
    return float(np.median(changes)) if len(changes) >= FEWEST_CONTROLS else 0.0


def _noise(changes: Sequence[float], drift: float) -> Noise:
    count = len(changes)
    own = _MAD_EFFICIENCY * max(0, count - 1)
    freedom = PRIOR_FREEDOM + own
    variance = PRIOR_STD**2
    if own:
        variance = (PRIOR_FREEDOM * PRIOR_STD**2 + own * _scale(changes, drift) ** 2) / freedom
    # the variance of a median of so many normal values adds to that of one value
    variance *= 1 + math.pi / 2 / max(count, FEWEST_CONTROLS)
    return Noise(drift, math.sqrt(variance), freedom, count)


def judge(old: Benchmark, new: Benchmark, noise: SessionNoise) -> Change:
    """Return how a benchmark changed; of times that are not positive, all is NaN.

    Parameters
    ----------
    old, new : Benchmark
        The benchmark in the two sessions.
    noise : SessionNoise
        Between them.

    Returns
    -------
    Change
    """
    own = noise.of(old, new)
    if min(old.least_s, new.least_s) <= 0:
        return Change(math.nan, math.nan, math.nan, math.nan, own.freedom)
    seconds = math.log(new.least_s / old.least_s)
    measures = [seconds - own.drift]
    if old.baseline_s and new.baseline_s:
        measures.append(seconds - math.log(new.baseline_s / old.baseline_s))
    by_baseline = math.exp(measures[1]) if len(measures) > 1 else math.nan
    error = math.hypot(own.std, old.error, new.error)
    return Change(
        math.exp(measures[0]), by_baseline, math.exp(_agreed(measures)), error, own.freedom
    )


def _agreed(measures: Sequence[float]) -> float:
    if min(measures) < 0 < max(measures):
        return 0.0
    return min(measures, key=abs)
