"""The passes of a session over its benchmarks: one row of each, in the JSON of pytest-benchmark.

What disturbs a benchmark, a neighbour or a clock that was lowered, lasts for seconds, often longer
than the benchmark itself, and then no statistic of its samples can tell. So a session goes
through its benchmarks several times, and a row keeps what each pass found.
"""

from collections.abc import Iterable, Mapping
from typing import Any

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
