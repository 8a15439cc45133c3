"""Coverage of A/A ratios at the budgets that report, bench and ab really use, stopping included.

`compare` runs on a simulated clock, so that rounds end where the seconds are spent or intervals are
narrow enough, which choosing the moment could bias.
"""

import math

import numpy as np
import pytest
from scipy.stats import binom
from simulated_clock import MS, Clock

from initperf.benchmarks import speed
from initperf.benchmarks.budget import Budget
from initperf.benchmarks.passes import PASSES
from initperf.benchmarks.timing import compare
from initperf.benchmarks.workloads import PREPARATIONS

TRIALS = 150
AT_LEAST = binom.ppf(0.001, TRIALS, 0.93)

_AB = Budget(seconds=1.0)  # pytest-benchmark's own, 1 s and 5 rounds
_REPORT = Budget(seconds=speed.Selection().seconds(), least_rounds=3)
_QUICK = Budget(seconds=speed.Selection(quick=True).seconds(), least_rounds=3)
_BENCH = Budget(seconds=speed.Selection().seconds(), least_rounds=3, preparations=PREPARATIONS)
BUDGETS = {
    "report": _REPORT,
    "report --quick": _QUICK,
    "bench": _BENCH,
    "ab": _AB.of_one_pass(PASSES),
    "ab in one pass": _AB,
    "ab, prepared": Budget(seconds=1.0, preparations=10).of_one_pass(PASSES),
    "ab in one pass, prepared": Budget(seconds=1.0, preparations=10),
}


@pytest.fixture(autouse=True)
def _no_garbage(monkeypatch):
    """Spare the collection of garbage before each comparison, most of its processor time."""
    monkeypatch.setattr("gc.collect", lambda: 0)


class Drifting(Clock):
    """A clock on which calls scatter, calls of one preparation alike, and neighbours in time too.

    Parameters
    ----------
    seed : int
        Seeds the noise.
    lasting : float
        Milliseconds over which a disturbance of a method fades; 0 for independent noise.
    """

    def __init__(self, seed, lasting):
        super().__init__()
        self.state |= {"rng": np.random.default_rng(seed), "lasting": lasting}

    def maker(self, milliseconds):
        """Return what prepares a call with a disturbance of its own."""

        def make():
            rng = self.state["rng"]
            own = rng.normal()
            level, last = rng.normal(), self.now

            def call():
                nonlocal level, last
                passed = (self.now - last) / MS
                kept = math.exp(-passed / self.state["lasting"]) if self.state["lasting"] else 0.0
                level = kept * level + math.sqrt(1 - kept**2) * rng.normal()
                last = self.now
                noise = 0.03 * level + 0.03 * own * (self.state["prepared"])
                self.advance(int(milliseconds * MS * math.exp(noise)))

            return call

        return make


def covering(budget, milliseconds, lasting):
    """Return how many of the A/A ratios, and of the baseline's with itself, include 1."""
    ratio = null = 0
    for seed in range(TRIALS):
        clock = Drifting(seed, lasting)
        several = budget.preparations > 1
        clock.state["prepared"] = several
        makers = [clock.maker(milliseconds) for _ in range(2)]
        calls = makers if several else [make() for make in makers]
        found = compare(*calls, budget, seed=seed, watch=clock)
        ratio += found.ratio_low <= 1.0 <= found.ratio_high
        null += found.null_low <= 1.0 <= found.null_high
    return ratio, null


@pytest.mark.slow
@pytest.mark.parametrize("milliseconds", [2.0, 40.0])
@pytest.mark.parametrize("name", BUDGETS)
def test_ratios_cover_as_often_as_they_say(name, milliseconds):
    """Of calls that are quick, so that rounds stop early, and of calls of which few fit."""
    assert min(covering(BUDGETS[name], milliseconds, 0.0)) >= AT_LEAST


@pytest.mark.slow
@pytest.mark.parametrize("name", BUDGETS)
def test_ratios_cover_where_disturbances_last(name):
    """As long as two rounds of three calls of 2 ms, from one to the next a correlation of 0.6."""
    assert min(covering(BUDGETS[name], 2.0, 12.0)) >= AT_LEAST
