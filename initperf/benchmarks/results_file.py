"""The JSON of pytest-benchmark, read and written: the timings of each benchmark of a session."""

import json
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from initperf._core.reading import read_text
from initperf._core.storage import replacing
from initperf.benchmarks._bootstrap import CONFIDENCE, Array, bootstrap
from initperf.benchmarks.machine import PASSING, describe
from initperf.benchmarks.passes import join
from initperf.benchmarks.rows import COLUMNS, Row, row_of
from initperf.errors import DataError, UsageError

UNITS = {
    "stats": "s",
    "taken_s": "s since 1970, when the samples were there",
    **{name: column.unit for name, column in COLUMNS.items() if column.unit},
}
"""Units of what the files hold."""

_RENAMED = {"bench/bench_works.py::test_work[": "bench/bench_workloads.py::test_workload["}
"""Beginnings of names in older files, and what they are now."""

_MOST_ROUNDS = 10**8
"""More rounds than a session has time for: a file that states more is damaged."""

_UNDISTURBED = 0.1
"""Quantile of the samples of a pass that stands for calls that nothing disturbed."""

_SMALLEST_S = 1e-12
_LARGEST = sys.float_info.max  # integers of JSON can be larger
_LOWER = (0.05, 0.25)
_NORMAL_QUANTILE = -float(ndtri((1 - CONFIDENCE) / 2))


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of a file.

    Attributes
    ----------
    name : str
        The benchmark's full name, with its file and parameters.
    median_s : float
        Seconds a call takes, by the samples of all passes.
    rounds : int
        How many samples there were.
    samples_s : numpy.ndarray of float64
        The samples in seconds, in their order. Where they were not stored, values spread evenly
        over an interquartile range on either side of the median, which have its quartiles.
    passes : tuple of mapping
        Of each pass the ``median_s``, and the ``ratio`` to the baseline where there is one.
    extra : mapping
        What the benchmark added to its row, its ``extra_info``.
    """

    name: str
    median_s: float
    rounds: int
    samples_s: Array
    passes: tuple[Mapping[str, Any], ...]
    extra: Mapping[str, Any]

    @cached_property
    def undisturbed_s(self) -> list[float]:
        """The lower deciles of the passes' samples in seconds, the least first.

        The medians of the passes, where the samples of each are not known.
        """
        rounds = [int(one.get("rounds") or 0) for one in self.passes]
        if not (all(rounds) and sum(rounds) == len(self.samples_s)):
            return sorted(float(one["median_s"]) for one in self.passes)
        parts = np.split(self.samples_s, np.cumsum(rounds)[:-1])
        return sorted(float(np.quantile(part, _UNDISTURBED)) for part in parts)

    @property
    def least_s(self) -> float:
        """The time of the session: the least of `undisturbed_s`.

        Disturbances only slow. A second thread, above all, may start at once or late for seconds
        on end, so that a median jumps from one level to another, where the decile stays.
        """
        return self.undisturbed_s[0]

    @property
    def baseline_s(self) -> float | None:
        """The least of the passes' medians of the baseline, if it took turns with one."""
        ratios = [one.get("ratio") for one in self.passes]
        if not all(ratios):
            return None
        return min(float(one["ratio"]) * float(one["median_s"]) for one in self.passes)

    @property
    def error(self) -> float:
        """Standard error of `least_s` as a fraction.

        The distance of the two least passes or, of a single pass, the standard error of which
        its bootstrap interval would be the normal one.
        """
        first, *others = self.undisturbed_s
        if first <= 0:
            return math.nan
        if others:
            return others[0] / first - 1
        low, high = self.interval_s
        return (high - low) / (2 * _NORMAL_QUANTILE * first)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the samples' logarithms as a fraction, by their lower quantiles.

        By the quartile and the twentieth: what is disturbed lies above.
        """
        few, quarter = np.quantile(np.log(np.maximum(self.samples_s, _SMALLEST_S)), _LOWER)
        return float((quarter - few) / (ndtri(_LOWER[1]) - ndtri(_LOWER[0])))

    @cached_property
    def interval_s(self) -> tuple[float, float]:
        """The 95 % interval of the median in seconds, by the samples of all passes."""
        low, high = bootstrap(self.samples_s[:, None], rng=np.random.default_rng(0))
        return float(low[0]), float(high[0])

    def taken(self, name: str) -> float:
        """Return what a call took besides time, NaN where it is not known.

        Parameters
        ----------
        name : str
            ``"peak_bytes"``, ``"instructions"`` or ``"cycles"``.
        """
        value = self.extra.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return math.nan
        return float(value) if 0 <= value <= _LARGEST else math.nan

    @property
    def is_control(self) -> bool:
        """Whether it timed code that is not initperf's: another library, or a control."""
        return self.extra.get("role") in ("rival", "control")

    @property
    def is_threaded(self) -> bool:
        """Whether it says that it took several threads."""
        threads = self.extra.get("threads")
        return isinstance(threads, int) and threads > 1

    @property
    def span_s(self) -> float:
        """Seconds between the first pass and the last; infinite where times are not known."""
        taken = [float(one.get("taken_s") or math.nan) for one in self.passes]
        if any(map(math.isnan, taken)):
            return math.inf
        return max(taken) - min(taken)

    @property
    def row(self) -> Row:
        """Its row, as of a timing taken here."""
        low, high = self.interval_s
        timing = {"median_s": self.median_s, "low_s": low, "high_s": high, "rounds": self.rounds}
        return row_of(self.extra, **timing, samples_s=self.samples_s)


@dataclass(frozen=True)
class BenchmarkFile:
    """The benchmarks of a session by name, and the processor they ran on."""

    path: Path
    benchmarks: Mapping[str, Benchmark]
    processor: str


def read_benchmarks(path: str | Path, *further: str | Path) -> BenchmarkFile:
    """Read a file that ``pytest --benchmark-json`` or ``--benchmark-save`` wrote, or several.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; files of initperf before workloads had that name are read too.
    *further : str or pathlib.Path
        Files of other processes of the same session: their timings are passes.

    Returns
    -------
    BenchmarkFile

    Raises
    ------
    DataError
        When one cannot be read, is not such a file, or holds no benchmarks.
    """
    path = Path(path)
    content = _content(path)
    others = [_content(Path(other)) for other in further]
    try:
        found = content["benchmarks"]
        if others:
            found = join(chain(found, *(other["benchmarks"] for other in others)))
        rows = [_benchmark(row) for row in found]
        machine = content.get("machine_info") or {}
        own, cpu = machine.get("initperf") or {}, machine.get("cpu") or {}
        processor = own.get("processor") or cpu.get("brand_raw") or "unknown"
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise DataError(f"{path} is not of pytest-benchmark: {_reason(error)}") from None
    if not rows:
        raise DataError(f"{path} holds no benchmarks")
    return BenchmarkFile(path, {row.name: row for row in rows}, processor)


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, ValueError):  # those of `_benchmark` and `_number`
        return str(error)
    return f"a part of it has another form ({error})"


def _content(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from None


def write_benchmarks(path: str | Path, rows: Iterable[tuple[Row, float]]) -> None:
    """Write a file as ``pytest --benchmark-json`` does, whole or not at all.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, replaced if it exists.
    rows : iterable of tuple of Row and float
        Timings, and when they were there in seconds since 1970; those of one name are passes,
        and become one row.

    Raises
    ------
    UsageError
        When the file cannot be written.
    """
    path = Path(path)
    facts = describe()
    content = {
        "machine_info": {"initperf": lasting(facts)},
        "benchmarks": join(_entry(*row) for row in rows),
        "datetime": facts["date"],
        "version": facts["initperf"],
        "initperf": passing(facts),
    }
    try:
        with replacing(path) as written:
            written.write_text(json.dumps(content, indent=4), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def lasting(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a machine's description that is the same from session to session."""
    return {key: value for key, value in facts.items() if key not in PASSING}


def passing(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the part that differs from session to session, and the units."""
    return {**{key: value for key, value in facts.items() if key in PASSING}, "units": UNITS}


def _entry(row: Row, taken_s: float) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats

    stats = Stats()
    for sample in row.samples_s:
        stats.update(float(sample))
    return {
        "fullname": row.name,
        "name": row.name,
        "group": None,
        "param": None,
        "params": None,
        "extra_info": {key: _finite(value) for key, value in row.record().items()}
        | {"taken_s": taken_s},
        "options": {"timer": "initperf.benchmarks.timing"},
        "stats": {**stats.as_dict(), "data": stats.data, "iterations": 1},
    }


def _finite(value: Any) -> Any:
    """Return None for NaN, which JSON has no word for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _benchmark(row: Mapping[str, Any]) -> Benchmark:
    stats, extra = row["stats"], _renamed(dict(row.get("extra_info") or {}))
    median, rounds = _number(stats["median"]), int(_number(stats["rounds"]))
    passes = tuple(extra.get("passes") or ({**extra, "median_s": median},))
    for one in passes:
        _number(one["median_s"])
        if one.get("ratio") is not None:
            _number(one["ratio"])
    if not 1 <= rounds <= _MOST_ROUNDS:
        raise ValueError(f"{row['fullname']} has {rounds} rounds")
    if stats.get("data"):
        samples = np.array([_number(sample) for sample in stats["data"]])
    else:
        samples = _spread(median, _number(stats["iqr"]), rounds)
    name = str(row["fullname"])
    for text in (name, *(one for one in extra.values() if isinstance(one, str))):
        if not text.isprintable():  # it is printed, drawn and written into pages
            raise ValueError(f"{text!r} has control characters")
    for old, new in _RENAMED.items():
        name = name.replace(old, new)
    return Benchmark(name, median, rounds, samples, passes, extra)


def _number(value: Any) -> float:
    """Return a time or a ratio that JSON gives, checked: finite and not negative."""
    number = float(value)
    if isinstance(value, bool) or not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{value!r} is no time, ratio or count")
    return number


def _renamed(extra: dict[str, Any]) -> dict[str, Any]:
    """Return what a benchmark told of itself, a workload under its name of today."""
    if "method" in extra and "kernel" in extra:
        extra["workload"] = extra.pop("kernel")
    return extra


def _spread(median: float, iqr: float, rounds: int) -> Array:
    places = (2 * np.arange(rounds) + 1) / rounds - 1
    values = np.maximum(0.0, median + iqr * places)
    return np.random.default_rng(0).permutation(values)
