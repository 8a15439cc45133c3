"""Judges of a run: each visits its findings, by the thresholds that are declared in one table."""

from collections.abc import Sequence
from dataclasses import replace

from initperf.torch.signals.finding import Finding
from initperf.torch.signals.judges.depth import gradient, signal
from initperf.torch.signals.judges.layers import fan, large, unlike_siblings
from initperf.torch.signals.judges.losses import head, summed
from initperf.torch.signals.judges.parameters import (
    blocked,
    constant,
    copied,
    gate,
    truncation,
    unreached,
    unwritten,
)
from initperf.torch.signals.judges.ranges import overflow
from initperf.torch.signals.judges.recurrent import recurrent
from initperf.torch.signals.judges.softmaxes import scores
from initperf.torch.signals.judges.units import dead, duplicate
from initperf.torch.signals.running import Run

JUDGES = (
    overflow,
    unwritten,
    constant,
    copied,
    duplicate,
    gate,
    fan,
    large,
    unlike_siblings,
    recurrent,
    dead,
    scores,
    signal,
    gradient,
    unreached,
    head,
    summed,
    blocked,
    truncation,
)
"""Functions from a run to its findings; causes come before their consequences."""


_FIRST = ("overflow", "dead", "signal", "gradient")
"""Kinds of which a run has one finding, the first place, which differs from seed to seed."""


def judged(runs: Sequence[Run]) -> list[Finding]:
    """Return what is wrong or worth a note, each once for all seeds.

    Parameters
    ----------
    runs : sequence of Run
        A finding of some of them only says of how many. Its numbers are those of the first.
    """
    found: dict[tuple[str, str], Finding] = {}
    seen: dict[tuple[str, str], set[int]] = {}
    for judge in JUDGES:
        for run in runs:
            for each in judge(run):
                key = each.kind, "" if each.kind in _FIRST else each.name
                found.setdefault(key, each)
                seen.setdefault(key, set()).add(run.seed)
    several = len(runs)
    return [
        each
        if len(seen[key]) == several
        else replace(each, text=f"{each.text} ({len(seen[key])} of {several} seeds)")
        for key, each in found.items()
    ]
