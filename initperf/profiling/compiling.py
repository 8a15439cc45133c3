"""Where the time of compilation goes: passes of Numba by its events, passes of LLVM by LLVM.

Functions are compiled inside the passes of those that call them, so a pass counts without what
lies inside it. LLVM's own passes run inside Numba's pass ``native_lowering``.
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
from initperf.profiling.recording import Recorder, Span, own_seconds

_KINDS = {
    "numba:run_pass": "pass",
    "numba:compile": "compile",
    "numba:compiler_lock": "lock",
}


class _Listener(event.Listener):  # type: ignore[misc]  # numba has no types
    def __init__(self, recorder: Recorder, kind: str) -> None:
        self._recorder, self._kind = recorder, kind
        self._begun: dict[int, list[float]] = defaultdict(list)

    def on_start(self, event: Any) -> None:
        self._begun[threading.get_ident()].append(time.perf_counter())

    def on_end(self, event: Any) -> None:
        begin = self._begun[threading.get_ident()].pop()
        self._recorder.add(_name(event.data), self._kind, begin, time.perf_counter())


def _name(data: Any) -> str:
    if not data:
        return "compile or load"
    if "dispatcher" in data:
        return f"compile {data['dispatcher'].py_func.__qualname__}"
    return str(data["name"])


@contextmanager
def compiler_observed(recorder: Recorder) -> Iterator[None]:
    """Record what Numba compiles in the block, and each pass of it."""
    with ExitStack() as stack:
        for public, kind in _KINDS.items():
            stack.enter_context(event.install_listener(public, _Listener(recorder, kind)))
        yield


def numba_passes(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Return the passes of Numba, the longest first: pass, runs, seconds."""
    runs: dict[str, list[float]] = defaultdict(list)
    for span, own in own_seconds(spans):
        if span.kind == "pass":
            runs[span.name.partition(" [")[0]].append(own)
    rows = [
        {"pass": name, "runs": len(seconds), "seconds": sum(seconds)}
        for name, seconds in runs.items()
    ]
    return sorted(rows, key=lambda row: -row["seconds"])


def llvm_passes(compiled: Iterable[Compiled]) -> list[dict[str, Any]]:
    """Return the passes of LLVM, the longest first: stage, pass, seconds.

    Parameters
    ----------
    compiled : iterable of Compiled
        Functions that were compiled while ``NUMBA_LLVM_PASS_TIMINGS`` was set.
    """
    total: dict[tuple[str, str], float] = defaultdict(float)
    for one in compiled:
        for report in one.result.metadata.get("llvm_pass_timings", ()):
            stage = _stage(report.name)
            for name, seconds in _seconds(report.timings).items():
                total[stage, name] += seconds
    rows = [
        {"stage": stage, "pass": name, "seconds": seconds}
        for (stage, name), seconds in total.items()
    ]
    return sorted(rows, key=lambda row: -row["seconds"])


def _stage(title: str) -> str:
    if title.startswith("Function passes"):
        return "function"
    if title.startswith("Module passes"):
        return "module, cheap" if "cheap" in title else "module, full"
    return "machine code"


def _seconds(timings: Any) -> dict[str, float]:
    """Return the seconds of each pass in one report.

    LLVM sums a pass's runs into one row; llvmlite asks two observers, so that a report of the new
    pass manager has each row twice. Rows of one name are therefore repeats, and rows that differ
    in the number behind the name, which the older manager gives, are not.
    """
    rows: dict[str, list[float]] = defaultdict(list)
    for record in timings.list_records():
        if record.pass_name != "Total":
            rows[record.pass_name].append(record.wall_time)
    total: dict[str, float] = defaultdict(float)
    for name, repeats in rows.items():
        total[re.sub(r" #\d+$", "", name)] += fmean(repeats)
    return total
