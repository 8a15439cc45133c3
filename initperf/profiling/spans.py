"""Spans of time, recorded by process and thread, and their trace for Perfetto."""

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_MICROSECONDS = 1e6


@dataclass(frozen=True)
class Span:
    """One interval of time.

    Attributes
    ----------
    name : str
        What was done.
    kind : str
        ``"phase"``, ``"profiler"``, ``"compile"``, ``"lock"``, ``"pass"`` or ``"call"``.
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


class Recorder:
    """Spans of this process, in the order of their ends."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    @contextmanager
    def span(self, name: str, kind: str = "phase") -> Iterator[None]:
        """Record the duration of the block.

        Parameters
        ----------
        name, kind : str
            Fields of the span.
        """
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.spans.append(Span(name, kind, begin, time.perf_counter()))

    def of(self, kind: str) -> list[Span]:
        """Return the spans of a kind."""
        return [span for span in self.spans if span.kind == kind]


def nested(spans: Iterable[Span]) -> list[tuple[Span, float, int]]:
    """Return each span with its own seconds and its depth, by begin.

    A span's own seconds exclude the spans directly inside it on the same thread; its depth is the
    number of spans around it.
    """
    ordered = sorted(spans, key=lambda span: (span.begin, -span.end))
    own = [span.seconds for span in ordered]
    depths, around = [], dict[tuple[int, int], list[int]]()
    for place, span in enumerate(ordered):
        above = around.setdefault((span.process, span.thread), [])
        while above and ordered[above[-1]].end <= span.begin:
            above.pop()
        if above:
            own[above[-1]] -= span.seconds
        depths.append(len(above))
        above.append(place)
    return list(zip(ordered, own, depths, strict=True))


def union_seconds(spans: Iterable[Span]) -> float:
    """Return the time during which at least one span, on any thread, was open."""
    total, reached = 0.0, float("-inf")
    for span in sorted(spans, key=lambda span: span.begin):
        total += max(0.0, span.end - max(span.begin, reached))
        reached = max(reached, span.end)
    return total


def trace(spans: Iterable[Span], processes: Mapping[int, str]) -> dict[str, Any]:
    """Return spans in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open.

    Numba's compiler lock is taken again for each function compiled inside another; only its
    outermost spans are kept.

    Parameters
    ----------
    spans : iterable of Span
        Times of one clock.
    processes : mapping of int to str
        Names of the processes, by number.

    Returns
    -------
    dict
        For `json.dumps`.
    """
    every = list(spans)
    inner = {id(s) for s, _, depth in nested(s for s in every if s.kind == "lock") if depth}
    # of two spans that begin together the longer comes first: viewers nest by order
    ordered = [span for span, _, _ in nested(s for s in every if id(s) not in inner)]
    names = [
        {"name": "process_name", "ph": "M", "pid": number, "tid": 0, "args": {"name": name}}
        for number, name in processes.items()
    ]
    events = [
        {
            "name": span.name,
            "cat": span.kind,
            "ph": "X",
            "ts": _MICROSECONDS * (span.begin - ordered[0].begin),
            "dur": _MICROSECONDS * span.seconds,
            "pid": span.process,
            "tid": span.thread,
        }
        for span in ordered
    ]
    return {"traceEvents": names + events, "displayTimeUnit": "ms"}
