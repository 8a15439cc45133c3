"""The measured process: ``python -m initperf.profiling.measured TARGET DIRECTORY SECONDS``.

A process of its own, so that nothing was imported or compiled before. It writes ``result.json``,
and perf's samples as ``perf.script``, into the directory.
"""

import dataclasses
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from typing import Any

from initperf.profiling.spans import Span, seconds_by_name, timed
from initperf.profiling.target import Target, prepare
from initperf.training.phases import observed

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
        Holds the compiled code, in ``cache``, and takes perf's samples.
    seconds : float
        How long to call the target for each measurement; 0 for its first call alone.

    Returns
    -------
    dict
        title; process, its number; spans; compile_s, the seconds of compilation or loading;
        before and after, the phases before compilation and after it; and, unless seconds is 0,
        tables and perf, the event sampled or why nothing was.
    """
    spans: list[Span] = []
    title, call = prepare(target, spans, str(directory / "cache"))
    before = seconds_by_name(spans)
    with timed(spans, "import of the profiler", "profiler"):
        from initperf.jit.internals import install_recorder, install_timer
        from initperf.profiling.compiling import numba_passes
    locked: list[float] = []
    with (
        install_timer("numba:compiler_lock", locked.append),
        install_recorder("numba:run_pass") as events,
        timed(spans, "first call"),
    ):
        call()
    compiling = sum(locked)
    rest = max(0.0, spans[-1].seconds - compiling)
    passes, rows = numba_passes(events.buffer)
    spans += passes
    found: dict[str, Any] = {"title": title, "process": os.getpid(), "compile_s": compiling}
    found["before"] = [_phase(name, spent, "a new process") for name, spent in before.items()]
    found["after"] = [_phase("first call without that", rest, "")]
    if seconds:
        found["after"] += _warm_calls(call, spans, seconds)
        found["tables"] = _compilation(rows)
        found["perf"] = _sampled(call, seconds, directory)
    return found | {"spans": [dataclasses.asdict(span) for span in spans]}


def _phase(name: str, seconds: float, of: str) -> Row:
    return {"phase": name, "seconds": seconds, "of": of}


def _warm_calls(call: Callable[[], Any], spans: list[Span], seconds: float) -> list[Row]:
    """Time calls of compiled code, and the phases that a training run names."""
    phases: list[Span] = []
    calls: list[float] = []
    begin = time.perf_counter()
    with observed(lambda name, *times: phases.append(Span(name, "phase", *times))):
        while not calls or (
            len(calls) < _MOST_CALLS and time.perf_counter() - begin + calls[-1] < seconds
        ):
            start = time.perf_counter()
            call()
            end = time.perf_counter()
            calls.append(end - start)
            if len(calls) <= _TRACED_CALLS:
                spans.append(Span("call", "call", start, end))
    spans += phases
    parts = {name: spent / len(calls) for name, spent in seconds_by_name(phases).items()}
    if parts:
        parts["rest"] = fmean(calls) - sum(parts.values())
    words = f"the warm calls, mean of {len(calls)}"
    rows = [_phase("warm call", median(calls), f"{len(calls)} calls, the median")]
    return rows + [_phase(f"- {name}", spent, words) for name, spent in parts.items()]


def _compilation(passes: list[Row]) -> dict[str, list[Row]]:
    """Read the code of what was compiled, and the times of the compiler passes."""
    from initperf.profiling.code import compiled_functions
    from initperf.profiling.compiling import llvm_passes

    compiled = compiled_functions()
    code = []
    for one in compiled:
        if one.is_kernel:
            found = dataclasses.asdict(one.loops())
            libm, once = Counter(found.pop("libm")), found.pop("libm_once")
            found["libm_in_loops"] = [f"{name} x {count}" for name, count in libm.items()]
            found["libm_elsewhere"] = list(dict.fromkeys(once))
            code.append({"function": one.name, **found})
    return {
        "code": sorted(code, key=lambda row: -row["instructions"]),
        "numba_passes": passes,
        "llvm_passes": llvm_passes(compiled)[:_MOST_PASSES],
    }


def _sampled(call: Callable[[], Any], seconds: float, directory: Path) -> dict[str, str]:
    """Sample calls with perf, if it is there."""
    from initperf.profiling import code, perf

    def repeat() -> None:
        begin = time.perf_counter()
        call()
        while time.perf_counter() - begin < seconds:
            call()

    try:
        with code.mapped():
            event, script = perf.sampled(repeat)
    except perf.PerfError as error:
        return {"refusal": str(error)}
    (directory / "perf.script").write_text(script)
    return {"event": event}


if __name__ == "__main__":
    _target, _directory, _seconds = sys.argv[1:]
    _found = measure(Target(**json.loads(_target)), Path(_directory), float(_seconds))
    Path(_directory, "result.json").write_text(json.dumps(_found))
