"""Regressions between two files of pytest-benchmark, told from the noise between sessions.

`_noise` estimates a change and its error. A benchmark regressed when it is slower by an amount
that matters and its interval, which holds for all benchmarks together, excludes that nothing
changed. One whose error hides a slowdown of a third is too noisy.
"""

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.benchmarks._noise import Change, SessionNoise, judge, session_noise
from initperf.benchmarks.results_file import Benchmark, BenchmarkFile, read_benchmarks
from initperf.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

THRESHOLD = 0.05
"""The smallest change that counts, as a fraction of the time, unless another is given."""

FEWEST_ROUNDS = 5
SHORTEST_SPAN_S = 120.0
"""Seconds over which passes on several threads must lie to be judged. A processor may be slow for a
minute or two, at another time than while the controls run, and all passes of a shorter session with
it: a row of 0.1 ms then takes 1.5 times as long, and no statistic of the session tells why."""

LARGEST_HIDDEN = 1 / 3
"""A benchmark that could hide a larger slowdown is too noisy."""

MOST_NOISY = 0.25
"""Share of the judged benchmarks that may be too noisy before the sessions are."""

MOST_TOLD = 10.0
"""An interval that reaches further from the ratio than by this factor tells nothing: it is left
out of the table, and the benchmark is too noisy."""

_EXIT = {"ok": 0, "regressed": 1, "too noisy": 4}


@dataclass(frozen=True)
class FileComparison:
    """Changes between two sessions.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each benchmark of both: ``benchmark``, ``old_s`` and ``new_s`` (the lower
        decile of the quickest pass), ``by_seconds`` and
        ``by_baseline`` (new time over old, above 1 is slower; corrected for the machine's drift,
        and relative to the baseline), ``time_ratio`` on which the two agree, with
        ``time_ratio_low`` and ``time_ratio_high`` (99 % for all rows together), ``hidden_percent``
        (the slowdown that would be seen in half of such sessions: its estimate lies above the
        end of the interval, or the threshold, as often as below), these three empty where the
        interval reaches further than by a factor of ten, ``peak_ratio`` and
        ``instructions_ratio`` (peak memory and instructions of a call, new over old, which are
        shown and not judged; empty where not known), and ``verdict``: ``"ok"``,
        ``"improved"``, ``"regressed"``, ``"too noisy"``; ``"not judged"`` of too few rounds,
        or on several threads with passes within two minutes, or
        ``"control"`` of code that is not initperf's, from which the noise is learned.
    noise : initperf.benchmarks._noise.SessionNoise
        How the controls changed.
    missing, added : tuple of str
        Benchmarks of the old file only, and of the new file only.
    warnings : tuple of str
        Reasons why the comparison may mean little.
    """

    table: "pd.DataFrame"
    noise: SessionNoise
    missing: tuple[str, ...]
    added: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``"regressed"`` if any did; else ``"too noisy"`` if many are, or none was judged."""
        found = self.table["verdict"]
        judged = found[~found.isin(["not judged", "control"])]
        if "regressed" in set(judged):
            return "regressed"
        if judged.empty or (judged == "too noisy").mean() > MOST_NOISY:
            return "too noisy"
        return "ok"

    @property
    def exit_code(self) -> int:
        """0, 1 when something regressed, 4 when it is too noisy to judge."""
        return _EXIT[self.verdict]


def compare_files(
    old: str | Path, new: str | Path, *, threshold: float | Mapping[str, float] = THRESHOLD
) -> FileComparison:
    """Compare two files that ``pytest --benchmark-json`` or ``--benchmark-save`` wrote.

    Parameters
    ----------
    old, new : str or pathlib.Path
        The files.
    threshold : float or mapping of str to float
        The smallest change that counts, as a fraction of the time; by patterns of names as in a
        shell, of which the last that matches counts.

    Returns
    -------
    FileComparison

    Raises
    ------
    ValueError
        When a threshold is not positive, or a pattern matches no benchmark of both.
    DataError
        When a file cannot be read, is not of pytest-benchmark, or no benchmark is in both.
    """
    _patterns(threshold)  # before the files are read
    return compare_sessions(read_benchmarks(old), read_benchmarks(new), threshold=threshold)


def compare_sessions(
    before: BenchmarkFile,
    after: BenchmarkFile,
    *,
    threshold: float | Mapping[str, float] = THRESHOLD,
) -> FileComparison:
    """Compare the benchmarks of two sessions.

    Parameters
    ----------
    before, after : BenchmarkFile
        The sessions.
    threshold : float or mapping of str to float
        The smallest change that counts, as a fraction of the time; by patterns of names as in a
        shell, of which the last that matches counts.

    Returns
    -------
    FileComparison

    Raises
    ------
    ValueError
        When a threshold is not positive, or a pattern matches no benchmark of both.
    DataError
        When no benchmark is in both.
    """
    import pandas as pd

    pairs = [
        (before.benchmarks[name], after.benchmarks[name])
        for name in before.benchmarks
        if name in after.benchmarks
    ]
    if not pairs:
        raise DataError(f"{before.path} and {after.path} have no benchmark in common")
    thresholds = _thresholds(threshold, [old.name for old, _ in pairs])
    enough = [pair for pair in pairs if _can_be_judged(*pair)]
    noise = session_noise(enough)
    together = sum(not new.is_control and _is_long(old, new) for old, new in enough)
    rows = [_row(pair, judge(*pair, noise), together, thresholds[pair[0].name]) for pair in pairs]
    return FileComparison(
        pd.DataFrame(rows),
        noise,
        tuple(name for name in before.benchmarks if name not in after.benchmarks),
        tuple(name for name in after.benchmarks if name not in before.benchmarks),
        _warnings(before, after),
    )


def _patterns(threshold: float | Mapping[str, float]) -> Mapping[str, float]:
    patterns = threshold if isinstance(threshold, Mapping) else {"*": threshold}
    for one in patterns.values():
        if not 0.0 < one < math.inf:
            raise ValueError(f"threshold must be positive, not {one!r}")
    return patterns


def _thresholds(given: float | Mapping[str, float], names: list[str]) -> dict[str, float]:
    found = dict.fromkeys(names, THRESHOLD)
    for pattern, threshold in _patterns(given).items():
        # the brackets of parametrised names are meant as they stand
        matching = fnmatch.filter(names, pattern.replace("[", "[[]"))
        if not matching:
            raise ValueError(f"no benchmark of both matches {pattern!r}")
        found.update(dict.fromkeys(matching, threshold))
    return found


def _can_be_judged(old: Benchmark, new: Benchmark) -> bool:
    return min(old.rounds, new.rounds) >= FEWEST_ROUNDS and min(old.least_s, new.least_s) > 0


def _is_long(old: Benchmark, new: Benchmark) -> bool:
    """Return whether the passes of two sessions are far enough apart for their threads."""
    return not new.is_threaded or min(old.span_s, new.span_s) >= SHORTEST_SPAN_S


def _row(
    pair: tuple[Benchmark, Benchmark], change: Change, together: int, threshold: float
) -> dict[str, object]:
    old, new = pair
    low, high = change.interval(together)
    hidden = max(threshold, high / change.ratio - 1)
    tells = high / low <= MOST_TOLD**2  # False for NaN too
    if not _can_be_judged(old, new):
        verdict = "not judged"
    elif new.is_control:
        verdict = "control"
    elif not _is_long(old, new):
        verdict = "not judged"
    elif low > 1 and change.ratio >= 1 + threshold:
        verdict = "regressed"
    elif high < 1 and change.ratio <= 1 / (1 + threshold):
        verdict = "improved"
    elif hidden > LARGEST_HIDDEN:
        verdict = "too noisy"
    else:
        verdict = "ok"
    return {
        "benchmark": old.name,
        "old_s": old.least_s,
        "new_s": new.least_s,
        "by_seconds": _known(change.seconds),
        "by_baseline": _known(change.baseline),
        "time_ratio": _known(change.ratio),
        "time_ratio_low": _known(low) if tells else None,
        "time_ratio_high": _known(high) if tells else None,
        "hidden_percent": _known(100 * hidden) if tells else None,
        "peak_ratio": _ratio(pair, "peak_bytes"),
        "instructions_ratio": _ratio(pair, "instructions"),
        "verdict": verdict,
    }


def _ratio(pair: tuple[Benchmark, Benchmark], name: str) -> float | None:
    """Return the new over the old of what a call takes besides time, where both are known.

    Parameters
    ----------
    pair : tuple of Benchmark
        Old and new.
    name : str
        See `Benchmark.taken`.
    """
    old, new = (one.taken(name) for one in pair)
    return _known(new / old) if old > 0 else None


def _known(value: float) -> float | None:
    """Return a number, or None where it is not finite: a table's cell that stays empty."""
    return value if math.isfinite(value) else None


def _warnings(old: BenchmarkFile, new: BenchmarkFile) -> tuple[str, ...]:
    if old.processor == new.processor:
        return ()
    return (f"the files are of different processors: {old.processor} and {new.processor}",)
