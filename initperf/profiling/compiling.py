"""Times of compilation: Numba's passes from its events, LLVM's passes from its timing reports.

Functions are compiled inside the passes of their callers, so a pass counts without what was
compiled inside it. LLVM's passes run inside Numba's pass ``native_lowering``.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from statistics import fmean
from typing import Any

from initperf.profiling.code import Compiled
from initperf.profiling.spans import Span


def numba_passes(events: Iterable[tuple[float, Any]]) -> tuple[list[Span], list[dict[str, Any]]]:
    """Return the spans of Numba's compiler passes, and a row for each pass, the longest first.

    Parameters
    ----------
    events : iterable of tuple
        What a recorder of ``numba:run_pass`` has kept: `time.time`, and the begin or the end of a
        pass. One thread compiles at a time, so passes lie in one another or apart.

    Returns
    -------
    tuple of list
        Rows have pass, runs and seconds.
    """
    offset = time.time() - time.perf_counter()
    spans: list[Span] = []
    runs: dict[str, list[float]] = defaultdict(list)
    around: list[tuple[float, list[float]]] = []  # the begin of a pass, and seconds of those inside
    for moment, event in events:
        if event.is_start:
            around.append((moment, []))
            continue
        begin, inside = around.pop()
        if around:
            around[-1][1].append(moment - begin)
        name = str(event.data["name"])
        spans.append(Span(name, "pass", begin - offset, moment - offset))
        runs[name.partition(" [")[0]].append(moment - begin - sum(inside))
    rows = [{"pass": name, "runs": len(own), "seconds": sum(own)} for name, own in runs.items()]
    return spans, sorted(rows, key=lambda row: -row["seconds"])


def llvm_passes(compiled: Iterable[Compiled]) -> list[dict[str, Any]]:
    """Return LLVM's compiler passes, the longest first: stage, pass, seconds.

    The functions must have been compiled with ``NUMBA_LLVM_PASS_TIMINGS`` set. LLVM adds a pass's
    runs up in one row. llvmlite has two observers, so a report of the new pass manager holds each
    row twice: rows of one name are averaged. The legacy pass manager tells passes of one kind
    apart by a number behind the name: those are added.
    """
    total: dict[tuple[str, str], float] = defaultdict(float)
    reports = (one.result.metadata.get("llvm_pass_timings", ()) for one in compiled)
    for report in chain.from_iterable(reports):
        repeats: dict[str, list[float]] = defaultdict(list)
        for record in report.timings.list_records():
            repeats[record.pass_name].append(record.wall_time)
        for name, seconds in repeats.items():
            if name != "Total":
                total[_stage(report.name), re.sub(r" #\d+$", "", name)] += fmean(seconds)
    rows = [{"stage": stage, "pass": name, "seconds": s} for (stage, name), s in total.items()]
    return sorted(rows, key=lambda row: -row["seconds"])


def _stage(title: str) -> str:
    if title.startswith("Function passes"):
        return "function"
    if title.startswith("Module passes"):
        return "module, cheap" if "cheap" in title else "module, full"
    return "machine code"
