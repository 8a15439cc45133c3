"""Spans of time by process and thread, and their trace for Perfetto."""

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MICROSECONDS = 1e6
"""So many in a second: the unit of the Trace Event Format."""


@dataclass(frozen=True)
class Span:
    """One interval of time.

    Attributes
    ----------
    name : str
        What was done.
    kind : str
        ``"phase"``, ``"pass"`` or ``"call"``.
    begin, end : float
        Seconds of `time.perf_counter`, a clock that the processes of a Linux machine share.
    process, thread : int
        Numbers given by the operating system.
    """

    name: str
    kind: str
    begin: float
    end: float
    process: int = field(default_factory=os.getpid)
    thread: int = field(default_factory=threading.get_native_id)

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.end - self.begin


def seconds_by_name(spans: Iterable[Span]) -> dict[str, float]:
    """Return the seconds of spans, added up by name, in the order of the first of each."""
    sums: dict[str, float] = {}
    for span in spans:
        sums[span.name] = sums.get(span.name, 0.0) + span.seconds
    return sums


def trace(spans: Iterable[Span], processes: Mapping[int, str]) -> dict[str, Any]:
    """Return spans in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open.

    Parameters
    ----------
    spans : iterable of Span
        Times of one clock.
    processes : mapping of int to str
        Names of the processes, by number.
    """
    # of two spans that begin together the longer comes first: viewers nest by order
    ordered = sorted(spans, key=lambda span: (span.begin, -span.end))
    names = [
        {"name": "process_name", "ph": "M", "pid": number, "tid": 0, "args": {"name": name}}
        for number, name in processes.items()
    ]
    events = [
        {
            "name": span.name,
            "cat": span.kind,
            "ph": "X",
            "ts": MICROSECONDS * (span.begin - ordered[0].begin),
            "dur": MICROSECONDS * span.seconds,
            "pid": span.process,
            "tid": span.thread,
        }
        for span in ordered
    ]
    return {"traceEvents": names + events, "displayTimeUnit": "ms"}
