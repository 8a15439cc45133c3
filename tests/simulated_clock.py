"""A stopwatch whose time passes only in its tasks and in sleep."""

import numpy as np

from initperf.benchmarks._rounds import Stopwatch

MS = 1_000_000


class Clock(Stopwatch):
    """Time that passes only in its tasks, and in sleep."""

    def __init__(self):
        object.__setattr__(self, "state", {"now": 0, "calls": [], "slept": []})
        super().__init__(now_ns=lambda: self.now, sleep=self._sleep)

    @property
    def now(self):
        return self.state["now"]

    @property
    def calls(self):
        return self.state["calls"]

    def advance(self, nanoseconds):
        self.state["now"] += nanoseconds

    def _sleep(self, seconds):
        self.state["slept"].append(seconds)
        self.advance(30 * MS)

    def task(self, name, nanoseconds):
        durations = iter(nanoseconds) if np.iterable(nanoseconds) else None

        def call():
            self.calls.append(name)
            self.advance(next(durations) if durations else nanoseconds)

        return call
