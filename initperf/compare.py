"""Whether a benchmark got slower between two files of pytest-benchmark, as far as one can tell.

A benchmark that was interleaved with a baseline carries its speed relative to it, which does not
change when the whole machine is slower on another day; such benchmarks are compared by that,
others by their medians. The interval of the ratio joins the intervals of its two parts (Zou and
Donner 2008, doi:10.1002/sim.3095, on logarithms).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.benchmark_file import BenchmarkFile, Measured, read_benchmarks
from initperf.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ROUNDS = 5

_EXIT = {"ok": 0, "regressed": 1, "too noisy": 4}


@dataclass(frozen=True)
class FileComparison:
    """What changed between two files.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each benchmark of both: ``benchmark``, ``old_s``, ``new_s``, ``time_ratio``
        (new over old, above 1 is slower) with ``time_ratio_low`` and ``time_ratio_high`` (95 %),
        ``by`` (``"baseline"`` or ``"median"``: what was compared), ``margin`` (a ratio must lie
        beyond 1 + margin to count) and ``verdict``: ``"ok"``, ``"improved"``, ``"regressed"``,
        ``"too noisy"``; ``"not judged"`` of too few rounds, or ``"yardstick"`` of another
        library's method, which the others are measured by.
    missing, added : tuple of str
        Benchmarks of the old file only, and of the new file only.
    warnings : tuple of str
        Why the comparison may mean little.
    """

    table: "pd.DataFrame"
    missing: tuple[str, ...]
    added: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``"regressed"`` if any did, else ``"too noisy"`` if any is or none was judged."""
        found = set(self.table["verdict"]) - {"not judged", "yardstick"}
        if "regressed" in found:
            return "regressed"
        return "too noisy" if "too noisy" in found or not found else "ok"

    @property
    def exit_code(self) -> int:
        """0, 1 when something regressed, 4 when it is too noisy to judge."""
        return _EXIT[self.verdict]


def compare_files(old: str | Path, new: str | Path, *, threshold: float = 0.10) -> FileComparison:
    """Compare two files that ``pytest --benchmark-json`` or ``--benchmark-save`` wrote.

    Parameters
    ----------
    old, new : str or pathlib.Path
        The files.
    threshold : float
        The smallest change that counts, as a fraction of the time. An interval that is wider on
        either side, or a baseline that differed from itself by more, is too noisy to judge.

    Returns
    -------
    FileComparison

    Raises
    ------
    ValueError
        When `threshold` is not positive.
    UsageError
        When a file does not exist.
    DataError
        When a file is not of pytest-benchmark, or no benchmark is in both.
    """
    if not threshold > 0:
        raise ValueError(f"threshold must be positive, not {threshold!r}")
    import pandas as pd

    before, after = read_benchmarks(old), read_benchmarks(new)
    names = [name for name in before.benchmarks if name in after.benchmarks]
    if not names:
        raise DataError(f"{before.path} and {after.path} have no benchmark in common")
    rows = [_row(before.benchmarks[name], after.benchmarks[name], threshold) for name in names]
    return FileComparison(
        pd.DataFrame(rows),
        tuple(name for name in before.benchmarks if name not in after.benchmarks),
        tuple(name for name in after.benchmarks if name not in before.benchmarks),
        _warnings(before, after),
    )


def _row(old: Measured, new: Measured, threshold: float) -> dict[str, object]:
    by = "baseline" if _has_ratio(old) and _has_ratio(new) else "median"
    ratio, low, high = _quotient(_interval(new, by), _interval(old, by))
    noise = max(_noise(old), _noise(new)) if by == "baseline" else 0.0
    margin = max(threshold, noise)
    if min(old.rounds, new.rounds) < FEWEST_ROUNDS or not math.isfinite(low * high):
        verdict = "not judged"
    elif new.extra.get("role") == "rival":
        verdict = "yardstick"
    elif low > 1 + margin:
        verdict = "regressed"
    elif high < 1 / (1 + margin):
        verdict = "improved"
    elif max(high / ratio, ratio / low) > 1 + threshold or noise > threshold:
        verdict = "too noisy"
    else:
        verdict = "ok"
    return {
        "benchmark": old.name,
        "old_s": old.median_s,
        "new_s": new.median_s,
        "time_ratio": ratio,
        "time_ratio_low": low,
        "time_ratio_high": high,
        "by": by,
        "margin": margin,
        "verdict": verdict,
    }


def _has_ratio(row: Measured) -> bool:
    values = [row.extra.get(name) for name in ("ratio", "ratio_low", "ratio_high")]
    return all(isinstance(value, float | int) and value > 0 for value in values)


def _interval(row: Measured, by: str) -> tuple[float, float, float]:
    """Return a time and its interval; relative to the baseline's, it is what `ratio` divides."""
    if by == "median":
        return row.median_s, row.low_s, row.high_s
    extra = row.extra
    return 1 / extra["ratio"], 1 / extra["ratio_high"], 1 / extra["ratio_low"]


def _noise(row: Measured) -> float:
    """Return how far from 1, as a fraction, the baseline seemed to be from itself."""
    null = [row.extra.get(name) or 1.0 for name in ("null_low", "null_ratio", "null_high")]
    return max(max(null), 1 / min(null)) - 1


def _quotient(
    above: tuple[float, float, float], below: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Divide two positive values with intervals; all NaN where a logarithm does not exist."""
    if min(*above, *below) <= 0:
        return math.nan, math.nan, math.nan
    (x, x_low, x_high), (y, y_low, y_high) = (map(math.log, value) for value in (above, below))
    low = x - y - math.hypot(x - x_low, y_high - y)
    high = x - y + math.hypot(x_high - x, y - y_low)
    return math.exp(x - y), math.exp(low), math.exp(high)


def _warnings(old: BenchmarkFile, new: BenchmarkFile) -> tuple[str, ...]:
    if old.processor == new.processor:
        return ()
    return (f"the files are of different processors: {old.processor} and {new.processor}",)
