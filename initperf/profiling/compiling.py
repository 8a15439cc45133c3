"""Times of compilation: Numba's passes from its events, LLVM's passes from its timing reports.

Functions are compiled inside the passes of their callers, so a pass counts without what was
compiled inside it. LLVM's passes run inside Numba's pass ``native_lowering``.
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import fmean
from typing import Any

from numba.core import event

from initperf.profiling.code import Compiled
from initperf.profiling.spans import Recorder, Span, nested

_KINDS = {
    "numba:run_pass": "pass",
    "numba:compile": "compile",
    "numba:compiler_lock": "lock",
}


class _Listener(event.Listener):  # type: ignore[misc]  # numba has no types
    """Numba's own recorder keeps no threads, without which begins and ends cannot be paired."""

    def __init__(self, recorder: Recorder, kind: str) -> None:
        self._recorder, self._kind = recorder, kind
        self._begun: dict[int, list[float]] = defaultdict(list)

    def on_start(self, event: Any) -> None:
        self._begun[threading.get_ident()].append(time.perf_counter())

    def on_end(self, event: Any) -> None:
        begin = self._begun[threading.get_ident()].pop()
        span = Span(_name(event.data), self._kind, begin, time.perf_counter())
        self._recorder.spans.append(span)


def _name(data: Any) -> str:
    if not data:
        return "compile or load"
    if "dispatcher" in data:
        return f"compile {data['dispatcher'].py_func.__qualname__}"
    return str(data["name"])


@contextmanager
def compiler_observed(recorder: Recorder) -> Iterator[None]:
    """Record what Numba compiles in the block, each pass, and the waits for its lock."""
    with ExitStack() as stack:
        for public, kind in _KINDS.items():
            stack.enter_context(event.install_listener(public, _Listener(recorder, kind)))
        yield


def numba_passes(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Return Numba's compiler passes, the longest first: pass, runs, seconds."""
    runs: dict[str, list[float]] = defaultdict(list)
    for span, own, _ in nested(spans):
        if span.kind == "pass":
            runs[span.name.partition(" [")[0]].append(own)
    rows = [{"pass": name, "runs": len(own), "seconds": sum(own)} for name, own in runs.items()]
    return sorted(rows, key=lambda row: -row["seconds"])


def llvm_passes(compiled: Iterable[Compiled]) -> list[dict[str, Any]]:
    """Return LLVM's compiler passes, the longest first: stage, pass, seconds.

    The functions must have been compiled with ``NUMBA_LLVM_PASS_TIMINGS`` set.
    """
    total: dict[tuple[str, str], float] = defaultdict(float)
    for one in compiled:
        for report in one.result.metadata.get("llvm_pass_timings", ()):
            for name, seconds in _seconds(report.timings).items():
                total[_stage(report.name), name] += seconds
    rows = [{"stage": stage, "pass": name, "seconds": s} for (stage, name), s in total.items()]
    return sorted(rows, key=lambda row: -row["seconds"])


def _stage(title: str) -> str:
    if title.startswith("Function passes"):
        return "function"
    if title.startswith("Module passes"):
        return "module, cheap" if "cheap" in title else "module, full"
    return "machine code"


def _seconds(timings: Any) -> dict[str, float]:
    """Return the seconds of each pass in one report.

    LLVM adds a pass's runs up in one row. llvmlite has two observers, so a report of the new pass
    manager holds each row twice: rows of one name are averaged. The legacy pass manager tells
    passes of one kind apart by a number behind the name: those are added.
    """
    rows: dict[str, list[float]] = defaultdict(list)
    for record in timings.list_records():
        if record.pass_name != "Total":
            rows[record.pass_name].append(record.wall_time)
    total: dict[str, float] = defaultdict(float)
    for name, repeats in rows.items():
        total[re.sub(r" #\d+$", "", name)] += fmean(repeats)
    return total
