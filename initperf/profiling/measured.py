"""The measured process: ``python -m initperf.profiling.measured TARGET DIRECTORY SECONDS``.

A process of its own, so that nothing was imported or compiled before. It writes ``result.json``
into the directory.
"""

import dataclasses
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from statistics import fmean, median
from typing import Any

from initperf.profiling.spans import Span, seconds_by_name
from initperf.profiling.target import Target, prepare
from initperf.training.phases import observed, phase

_MOST_CALLS = 10_000
_TRACED_CALLS = 500
_MOST_PASSES = 25

Row = dict[str, Any]


def measure(target: Target, directory: Path, seconds: float) -> dict[str, Any]:
    """Measure a target in this process.

    Parameters
    ----------
    target : Target
    directory : pathlib.Path
        Holds the compiled code, in ``cache``.
    seconds : float
        How long to call the target for each measurement; 0 for its first call alone.

    Returns
    -------
    dict
        title; process, its number; spans; compile_s, the seconds of compilation or loading;
        phases, a row each; and, unless seconds is 0, the other tables, and perf: event, script
        and refusal, why nothing was sampled.
    """
    spans: list[Span] = []
    found: dict[str, Any] = {"process": os.getpid()}
    with observed(lambda name, *times: spans.append(Span(name, "phase", *times))):
        found["title"], call = prepare(target, str(directory / "cache"))
        phases = [_phase(*one, "a new process") for one in seconds_by_name(spans).items()]
        with phase("import of the profiler"):
            from initperf.jit.internals import install_recorder, install_timer
            from initperf.profiling.compiling import numba_passes
        locked: list[float] = []
        with (
            install_timer("numba:compiler_lock", locked.append),
            install_recorder("numba:run_pass") as events,
            phase("first call"),
        ):
            call()
        found["compile_s"] = compile_s = sum(locked)
        phases.append(_phase("compile", compile_s, "the first call"))
        phases.append(_phase("first call without that", max(0.0, spans[-1].seconds - compile_s)))
        passes, rows = numba_passes(events.buffer)
        spans += passes
        if seconds:
            phases += _warm_calls(call, spans, seconds)
    if seconds:
        found["tables"] = _compilation() | {"numba_passes": rows}
        found["perf"] = _sampled(call, seconds)
    return found | {"phases": phases, "spans": [dataclasses.asdict(span) for span in spans]}


def _phase(name: str, seconds: float, of: str = "") -> Row:
    return {"phase": name, "seconds": seconds, "of": of}


def _warm_calls(call: Callable[[], Any], spans: list[Span], seconds: float) -> list[Row]:
    """Time calls of compiled code, and the phases that a training run names."""
    before, calls = len(spans), list[Span]()
    end = begin = time.perf_counter()
    while not calls or (len(calls) < _MOST_CALLS and end - begin + calls[-1].seconds < seconds):
        start = time.perf_counter()
        call()
        end = time.perf_counter()
        calls.append(Span("call", "call", start, end))
    times = [one.seconds for one in calls]
    parts = {name: s / len(calls) for name, s in seconds_by_name(spans[before:]).items()}
    if parts:
        parts["rest"] = fmean(times) - sum(parts.values())
    spans += calls[:_TRACED_CALLS]
    words = f"the warm calls, mean of {len(calls)}"
    rows = [_phase("warm call", median(times), f"{len(calls)} calls, the median")]
    return rows + [_phase(f"- {name}", spent, words) for name, spent in parts.items()]


def _compilation() -> dict[str, list[Row]]:
    """Return rows of the code of compiled functions, and of LLVM's compiler passes."""
    from initperf.profiling.code import compiled_functions
    from initperf.profiling.compiling import llvm_passes

    compiled = compiled_functions()
    code = []
    for one in filter(attrgetter("is_kernel"), compiled):
        with suppress(ValueError):  # Numba shows no code that was loaded, as a plug-in's may be
            found = dataclasses.asdict(one.loops())
            libm, once = Counter(found.pop("libm")), found.pop("libm_once")
            found["libm_in_loops"] = [f"{name} x {count}" for name, count in libm.items()]
            found["libm_elsewhere"] = list(dict.fromkeys(once))
            code.append({"function": one.name, **found})
    code.sort(key=lambda row: -row["instructions"])
    return {"code": code, "llvm_passes": llvm_passes(compiled)[:_MOST_PASSES]}


def _sampled(call: Callable[[], Any], seconds: float) -> dict[str, str]:
    """Sample calls with perf, if it is there."""
    from initperf.profiling import code, perf

    try:
        with code.mapped():
            event, script = perf.sampled(call, seconds)
    except perf.PerfError as error:
        return {"event": "", "script": "", "refusal": f"{error}."}
    return {"event": event, "script": script, "refusal": ""}


if __name__ == "__main__":
    _target, _directory, _seconds = sys.argv[1:]
    _found = measure(Target(**json.loads(_target)), Path(_directory), float(_seconds))
    Path(_directory, "result.json").write_text(json.dumps(_found))
