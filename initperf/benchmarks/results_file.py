"""The JSON of pytest-benchmark, read and written: what each benchmark measured, with an interval.

The interval of a median needs no assumption on the samples where they are stored: it lies
between two of them, by rank. Where only the quartiles are stored, it is that of McGill, Tukey
and Larsen (1978, doi:10.1080/00031305.1978.10479236), 1.57 interquartile ranges over √n.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initperf._core.storage import replacing
from initperf.benchmarks.machine import PASSING, describe
from initperf.errors import DataError, UsageError

UNITS = {
    "stats": "s",
    "limit_s": "s",
    "compile_s": "s",
    "ratio": "times as fast as the baseline",
    "percent_of_limit": "%",
    "taken_s": "s since 1970, when the samples were there",
}
"""Units of what the files hold."""

_Z = 1.96


@dataclass(frozen=True)
class Measured:
    """One benchmark of a file.

    Attributes
    ----------
    name : str
        The benchmark's full name, with its file and parameters.
    median_s, low_s, high_s : float
        Seconds a call takes, by the samples of all passes, with a 95 % interval.
    rounds : int
        How many samples there were.
    least_s, error : float
        The least of the passes' medians, in seconds, and its standard error as a fraction: how
        far the second least is above it or, of a single pass, that of the interval.
    baseline_s : float or None
        The least of the passes' medians of the baseline, if it took turns with one.
    extra : mapping
        What the benchmark added to its row, its ``extra_info``.
    """

    name: str
    median_s: float
    low_s: float
    high_s: float
    rounds: int
    least_s: float
    error: float
    baseline_s: float | None
    extra: Mapping[str, Any]

    @property
    def is_yardstick(self) -> bool:
        """Whether it timed another library."""
        return bool(self.extra.get("role") == "rival")

    @property
    def is_threaded(self) -> bool:
        """Whether it says that it took several threads."""
        threads = self.extra.get("threads")
        return isinstance(threads, int) and threads > 1

    @property
    def span_s(self) -> float:
        """Seconds from the first pass to the last; 0 where that is not told."""
        times = [one["taken_s"] for one in self.extra.get("passes") or () if one.get("taken_s")]
        return max(times) - min(times) if times else 0.0


@dataclass(frozen=True)
class BenchmarkFile:
    """The benchmarks of a file by name, and the processor they ran on."""

    path: Path
    benchmarks: Mapping[str, Measured]
    processor: str


def read_benchmarks(path: str | Path) -> BenchmarkFile:
    """Read a file that ``pytest --benchmark-json`` or ``--benchmark-save`` wrote.

    Raises
    ------
    UsageError
        When there is no such file.
    DataError
        When it is not such a file, or holds no benchmarks.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    try:
        rows = [_measured(row) for row in content["benchmarks"]]
        machine = content.get("machine_info") or {}
        own, cpu = machine.get("initperf") or {}, machine.get("cpu") or {}
        processor = own.get("processor") or cpu.get("brand_raw") or "unknown"
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(
            f"{path} is not of pytest-benchmark: {type(error).__name__}: {error}"
        ) from None
    if not rows:
        raise DataError(f"{path} holds no benchmarks")
    return BenchmarkFile(path, {row.name: row for row in rows}, processor)


def write_benchmarks(
    path: str | Path, rows: Iterable[tuple[str, Iterable[float], Mapping[str, Any]]]
) -> None:
    """Write a file as ``pytest --benchmark-json`` does, whole or not at all.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, replaced if it exists.
    rows : iterable of tuple
        Of each benchmark its full name, its samples in seconds a call, and its ``extra_info``;
        those of one name are passes, and become one row.

    Raises
    ------
    UsageError
        When the file cannot be written.
    """
    path = Path(path)
    facts = describe()
    content = {
        "machine_info": {"initperf": lasting(facts)},
        "benchmarks": join(_row(*row) for row in rows),
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
    """Return what a machine's description says that is the same from run to run."""
    return {key: value for key, value in facts.items() if key not in PASSING}


def passing(facts: Mapping[str, str]) -> dict[str, Any]:
    """Return what differs from run to run, and the units."""
    return {**{key: value for key, value in facts.items() if key in PASSING}, "units": UNITS}


def _row(name: str, samples_s: Iterable[float], extra: Mapping[str, Any]) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats

    stats = Stats()
    for sample in samples_s:
        stats.update(float(sample))
    return {
        "fullname": name,
        "name": name,
        "group": None,
        "param": None,
        "params": None,
        "extra_info": {key: _finite(value) for key, value in extra.items()},
        "options": {"timer": "initperf.benchmarks.timing"},
        "stats": {**stats.as_dict(), "data": stats.data, "iterations": 1},
    }


def _finite(value: Any) -> Any:
    """Return None for NaN, which JSON has no word for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _measured(row: Mapping[str, Any]) -> Measured:
    stats, extra = row["stats"], dict(row.get("extra_info") or {})
    median, rounds = float(stats["median"]), int(stats["rounds"])
    passes = extra.get("passes") or [{**extra, "median_s": median}]
    medians = sorted(float(one["median_s"]) for one in passes)
    if not (all(math.isfinite(one) and one >= 0 for one in (median, *medians)) and rounds >= 1):
        raise ValueError(f"{row['fullname']} has median {median} of {rounds} rounds")
    if stats.get("data"):
        low, high = _between_ranks(sorted(map(float, stats["data"])))
    else:
        half = 1.57 * float(stats["iqr"]) / math.sqrt(rounds)
        low, high = max(0.0, median - half), median + half
    least = medians[0]
    if least <= 0:
        error = math.nan
    elif len(medians) > 1:
        error = medians[1] / least - 1
    else:
        error = (high - low) / (2 * _Z * least)
    baselines = [float(one["ratio"]) * float(one["median_s"]) for one in passes if one.get("ratio")]
    baseline = min(baselines) if len(baselines) == len(passes) else None
    return Measured(str(row["fullname"]), median, low, high, rounds, least, error, baseline, extra)


def _between_ranks(samples: Sequence[float]) -> tuple[float, float]:
    """Return the samples between which the median lies with 95 % or more.

    Of fewer than six, these are the outermost two: of five, it is 94 %.
    """
    count = len(samples)
    rank = max(0, math.floor((count - 1 - _Z * math.sqrt(count)) / 2))
    return samples[rank], samples[count - 1 - rank]


PASSES = 3
"""So many, by default: one undisturbed is among three."""


KEPT = ("ratio", "ratio_low", "ratio_high", "null_ratio", "limit_s", "taken_s")
"""What of a pass's ``extra_info`` is kept under ``passes`` beside its median."""


def join(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Join the rows of one name, which are passes, in the order of the first of them.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of pytest-benchmark's JSON, of all passes.

    Returns
    -------
    list of dict
        A row for each name. Its ``extra_info`` is that of the quickest pass, what disturbs can
        only slow, and has ``passes``: of each pass in turn the median in seconds, the number of
        rounds, and the ratios and the time where there are some. Its ``stats`` are of the samples
        of all.
    """
    of_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        of_name.setdefault(row["fullname"], []).append(row)
    return [_joined(passes) for passes in of_name.values()]


def _joined(passes: list[Mapping[str, Any]]) -> dict[str, Any]:
    from pytest_benchmark.stats import Stats

    best = min(passes, key=lambda row: row["stats"]["median"])
    if len(passes) == 1:
        return dict(best)
    stats = Stats()
    for row in passes:
        for sample in row["stats"].get("data") or ():
            stats.update(sample)
    joined = dict(best["stats"])
    if stats.data:
        joined |= {**stats.as_dict(), "data": stats.data}
    kept = [
        {"median_s": row["stats"]["median"], "rounds": row["stats"]["rounds"]}
        | {key: row["extra_info"][key] for key in KEPT if key in row["extra_info"]}
        for row in passes
    ]
    return {**best, "stats": joined, "extra_info": {**best["extra_info"], "passes": kept}}
