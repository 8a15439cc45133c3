"""Spans of time: what was done, from when to when, on which thread."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Span:
    """Something that took time.

    Attributes
    ----------
    name, kind : str
        What was done, and what sort of thing that is: ``"phase"``, ``"compile"``, ``"lock"``,
        ``"pass"`` or ``"call"``.
    begin, end : float
        Seconds of `time.perf_counter`, which processes of one machine share on Linux.
    process, thread : int
        The numbers that the system gives them.
    """

    name: str
    kind: str
    begin: float
    end: float
    process: int = field(default_factory=os.getpid)
    thread: int = field(default_factory=threading.get_native_id)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


class Recorder:
    """The spans of a process, in the order they ended."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def add(self, name: str, kind: str, begin: float, end: float) -> Span:
        """Keep a span that ended on this thread."""
        span = Span(name, kind, begin, end)
        self.spans.append(span)
        return span

    @contextmanager
    def span(self, name: str, kind: str = "phase") -> Iterator[None]:
        """Keep how long the block takes."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, kind, begin, time.perf_counter())

    def of(self, kind: str) -> list[Span]:
        """Return the spans of a kind."""
        return [span for span in self.spans if span.kind == kind]


def outermost(spans: Iterable[Span]) -> list[Span]:
    """Return the spans that lie in no other of them, by the time they began."""
    kept: list[Span] = []
    ends: dict[tuple[int, int], float] = {}
    for span in sorted(spans, key=lambda span: (span.begin, -span.end)):
        where = span.process, span.thread
        if span.end > ends.get(where, -1.0):
            ends[where] = span.end
            kept.append(span)
    return kept


def union_seconds(spans: Iterable[Span]) -> float:
    """Return how long at least one of the spans went on."""
    total, reached = 0.0, float("-inf")
    for span in sorted(spans, key=lambda span: span.begin):
        total += max(0.0, span.end - max(span.begin, reached))
        reached = max(reached, span.end)
    return total


def own_seconds(spans: Iterable[Span]) -> list[tuple[Span, float]]:
    """Return each span with its length less that of the spans directly inside it."""
    inside: dict[int, float] = defaultdict(float)
    open_spans: dict[tuple[int, int], list[Span]] = defaultdict(list)
    ordered = sorted(spans, key=lambda span: (span.begin, -span.end))
    for span in ordered:
        above = open_spans[span.process, span.thread]
        while above and above[-1].end <= span.begin:
            above.pop()
        if above:
            inside[id(above[-1])] += span.seconds
        above.append(span)
    return [(span, span.seconds - inside[id(span)]) for span in ordered]
