"""A trace that Perfetto (ui.perfetto.dev) and chrome://tracing open: Trace Event Format, JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from initperf.profiling.recording import Span, outermost

_MICROSECONDS = 1e6


def trace(spans: Iterable[Span], processes: Mapping[int, str]) -> dict[str, Any]:
    """Return spans as complete events, which nest by time on their thread.

    Numba takes its compiler's lock again for each function inside a function: of these spans only
    the outermost is kept, which halves the levels that a viewer shows.

    Parameters
    ----------
    spans : iterable of Span
        Times of one clock.
    processes : mapping
        From the numbers of processes to what they are called.

    Returns
    -------
    dict
        For `json.dumps`.
    """
    every = list(spans)
    kept = [span for span in every if span.kind != "lock"]
    kept += outermost(span for span in every if span.kind == "lock")
    # of two that begin together, the longer must come first to be the outer one
    ordered = sorted(kept, key=lambda span: (span.begin, -span.end))
    start = ordered[0].begin if ordered else 0.0
    names: list[dict[str, Any]] = [
        {"name": "process_name", "ph": "M", "pid": number, "tid": 0, "args": {"name": name}}
        for number, name in processes.items()
    ]
    events = [
        {
            "name": span.name,
            "cat": span.kind,
            "ph": "X",
            "ts": _MICROSECONDS * (span.begin - start),
            "dur": _MICROSECONDS * span.seconds,
            "pid": span.process,
            "tid": span.thread,
        }
        for span in ordered
    ]
    return {"traceEvents": names + events, "displayTimeUnit": "ms"}
