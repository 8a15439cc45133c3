"""Passes of a session: each benchmark is measured several times, minutes apart if there are many.

A disturbance seldom lasts from one pass to the next, and can only slow: the quickest pass gives
the time of a session (see `initperf.benchmarks.results_file.Benchmark.least_s`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

PASSES = 3
"""Passes of a session by default: of three, one is likely to be undisturbed."""

KEPT = ("ratio", "ratio_low", "ratio_high", "null_ratio", "limit_s", "taken_s")
"""Entries of a pass's ``extra_info`` that are kept under ``passes`` beside its median."""


def join(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Join the rows of one name, which are passes, in the order of the first of them.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of pytest-benchmark's JSON, of all passes.

    Returns
    -------
    list of dict
        A row for each name. Its ``extra_info`` is that of the quickest pass and has ``passes``:
        of each pass in turn the median in seconds, the number of rounds, and the ratios and the
        time where there are some. Its ``stats`` are of the samples of all.
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
