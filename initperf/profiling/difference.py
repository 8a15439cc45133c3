"""Difference of two profiles: seconds of a call by function and by stack, before and after.

Differential flame graphs after Gregg, "The flame graph", Communications of the ACM 59 (2016):
boxes are as wide as in one of the profiles, and coloured by the change between the two.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import stdev
from typing import Any

from initperf.errors import DataError
from initperf.profiling.samples import Box, Sample, flame, read_samples, stack_counts
from initperf.profiling.spans import MICROSECONDS

CLEAR = 3.0
"""Standard errors beyond which a change is shown as one: a graph has hundreds of boxes."""

_STEPS = (0.01, 0.05)
"""Changes, as fractions of a call before, from which a box has the next stronger colour."""


@dataclass(frozen=True)
class Recorded:
    """A profile that was written to a directory.

    Attributes
    ----------
    title : str
        The target in words.
    call_s, call_error_s : float
        Median seconds of a warm call, and the standard error of their mean: that of the median is
        seldom larger. The error is 0 where there was one call.
    samples : tuple of Sample
        One at least.
    """

    title: str
    call_s: float
    call_error_s: float
    samples: tuple[Sample, ...]

    def part(self, count: int) -> tuple[float, float]:
        """Return the seconds of a call in what so many samples were in, and their variance."""
        total = len(self.samples)
        # of one sample more, where there are none or all: a count of 0 is not known exactly
        share = (count + 1) / (total + 2)
        variance = self.call_s**2 * share * (1 - share) / total + (share * self.call_error_s) ** 2
        return count / total * self.call_s, variance


@dataclass(frozen=True)
class Change:
    """Seconds of a call in a function or a stack, with what it called, in two profiles.

    Attributes
    ----------
    before_s, after_s : float
        The share of the samples times the seconds of a call.
    error_s : float
        Standard error of their difference: of the numbers of samples, which are binomial, and of
        the seconds of a call.
    step : int
        Strength of the change, from -3 to 3 and 0 where it is within CLEAR standard errors;
        positive where it takes longer after.
    """

    before_s: float
    after_s: float
    error_s: float
    step: int

    @property
    def change_s(self) -> float:
        """Seconds that it takes longer after."""
        return self.after_s - self.before_s

    @property
    def verdict(self) -> str:
        """``"slower"``, ``"quicker"`` or ``"within chance"``."""
        return "slower" if self.step > 0 else "quicker" if self.step else "within chance"


@dataclass(frozen=True)
class ChangedBox:
    """A box of a flame graph, and its change."""

    box: Box
    change: Change


def read_profile(directory: Path) -> Recorded:
    """Read what ``initperf profile`` wrote.

    Parameters
    ----------
    directory : pathlib.Path

    Raises
    ------
    DataError
        When it holds no profile, a damaged one, or one without samples of perf.
    """
    try:
        found = json.loads((directory / "profile.json").read_text("utf-8"))
        calls = {str(row["phase"]): float(row["seconds"]) for row in found["phases"]}
        title, call_s = str(found["title"]), calls["warm call"]
        script = directory / "perf.script"
        samples = tuple(read_samples(script.read_text("utf-8"))) if script.is_file() else ()
        trace = json.loads((directory / "trace.json").read_text("utf-8"))
        times = [float(one["dur"]) for one in trace["traceEvents"] if one.get("cat") == "call"]
    except OSError as error:
        raise DataError(f"{directory} holds no profile: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        words = f"{type(error).__name__}: {error}"
        raise DataError(f"{directory} holds a damaged profile: {words}") from None
    if not samples:
        raise DataError(f"{directory} holds a profile without samples; they need Linux perf")
    if not (math.isfinite(call_s) and call_s > 0):
        raise DataError(f"{directory} holds a damaged profile: a call of {call_s:g} s")
    error_s = stdev(times) / math.sqrt(len(times)) / MICROSECONDS if len(times) > 1 else 0.0
    return Recorded(title, call_s, error_s, samples)


def function_changes(before: Recorded, after: Recorded) -> list[dict[str, Any]]:
    """Return a row for each function, the largest change of its own time first.

    Parameters
    ----------
    before, after : Recorded

    Returns
    -------
    list of dict
        ``function``, ``code`` (its kind), and the fields of the `Change` of the function itself,
        without what it called: ``before_s``, ``after_s``, ``change_s``, ``error_s``, ``verdict``.
    """
    old, new = (Counter(one.stack[-1] for one in each.samples) for each in (before, after))
    changes = {frame: _change(before, after, old[frame], new[frame]) for frame in old | new}
    rows = [
        {
            "function": frame.name,
            "code": frame.kind,
            "before_s": change.before_s,
            "after_s": change.after_s,
            "change_s": change.change_s,
            "error_s": change.error_s,
            "verdict": change.verdict,
        }
        for frame, change in changes.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row["change_s"]), row["function"]))


def changed_boxes(before: Recorded, after: Recorded, *, widths: str = "after") -> list[ChangedBox]:
    """Return the boxes of a differential flame graph, callers first.

    Parameters
    ----------
    before, after : Recorded
    widths : str
        ``"after"``, or ``"before"`` for a graph that holds what is gone.
    """
    old, new = stack_counts(before.samples), stack_counts(after.samples)
    return [
        ChangedBox(box, _change(before, after, old[box.stack], new[box.stack]))
        for box in flame((before if widths == "before" else after).samples)
    ]


def _change(before: Recorded, after: Recorded, old: int, new: int) -> Change:
    """Return the change of what so many samples were in.

    Parameters
    ----------
    before, after : Recorded
    old, new : int
        Numbers of samples.
    """
    (before_s, old_variance), (after_s, new_variance) = before.part(old), after.part(new)
    error_s, change_s = math.sqrt(old_variance + new_variance), after_s - before_s
    step = 0
    if abs(change_s) > CLEAR * error_s:
        strength = 1 + sum(abs(change_s) >= one * before.call_s for one in _STEPS)
        step = strength if change_s > 0 else -strength
    return Change(before_s, after_s, error_s, step)
