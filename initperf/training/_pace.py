"""Progress of a sweep in words, with its rate and the time left."""

import time

from initperf.training.experiment import Experiment


class Pace:
    """Rate of the runs that are trained, and the time that the others will take.

    Parameters
    ----------
    runs : int
        Runs to be trained.
    """

    def __init__(self, runs: int) -> None:
        self._begin = time.monotonic()
        self._left = runs
        self._done = 0

    def label(self, experiment: Experiment) -> str:
        """Count a run, and return a label of its end for progress."""
        self._done += 1
        self._left -= 1
        rate = self._done / max(time.monotonic() - self._begin, 1e-9)
        words = f"{experiment.initializer}, {experiment.activation}; {per_time(rate)}"
        return f"{words}, {duration(self._left / rate)} left" if self._left else words


def per_time(rate: float) -> str:
    """Return a rate, runs a second, in words."""
    for unit, seconds in (("s", 1.0), ("min", 60.0)):
        if rate * seconds >= 1.0:
            return f"{rate * seconds:.3g} runs/{unit}"
    return f"{rate * 3600.0:.3g} runs/h"


def duration(seconds: float) -> str:
    """Return a time in words: ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"
