"""The measured process: ``python -m initperf.profiling.measured TARGET DIRECTORY SECONDS``.

A process of its own, so that nothing was imported or compiled before. It writes ``result.json``,
and perf's samples as ``perf.script``, into the directory.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from typing import Any

from initperf.profiling.spans import Recorder, Span, nested, union_seconds
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
    recorder = Recorder()
    title, call = prepare(target, recorder, str(directory / "cache"))
    before: dict[str, float] = {}
    for span in recorder.of("phase"):
        before[span.name] = before.get(span.name, 0.0) + span.seconds
    with recorder.span("import of the profiler", "profiler"):
        from initperf.profiling.compiling import compiler_observed
    with compiler_observed(recorder), recorder.span("first call"):
        call()
    compiling = union_seconds(recorder.of("lock"))
    rest = max(0.0, recorder.of("phase")[-1].seconds - compiling)
    found: dict[str, Any] = {"title": title, "process": os.getpid(), "compile_s": compiling}
    found["before"] = [_phase(name, spent, "a new process") for name, spent in before.items()]
    found["after"] = [_phase("first call without that", rest, "")]
    if seconds:
        found["after"] += _warm_calls(call, recorder, seconds)
        found["tables"] = _compilation(recorder)
        found["perf"] = _sampled(call, seconds, directory)
    return found | {"spans": [dataclasses.asdict(span) for span in recorder.spans]}


def _phase(name: str, seconds: float, of: str) -> Row:
    return {"phase": name, "seconds": seconds, "of": of}


def _warm_calls(call: Callable[[], Any], recorder: Recorder, seconds: float) -> list[Row]:
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
                recorder.spans.append(Span("call", "call", start, end))
    recorder.spans.extend(phases)
    parts: dict[str, float] = {}
    for span, _, depth in nested(phases):
        if depth == 0:
            parts[span.name] = parts.get(span.name, 0.0) + span.seconds / len(calls)
    if parts:
        parts["rest"] = fmean(calls) - sum(parts.values())
    words = f"the warm calls, mean of {len(calls)}"
    rows = [_phase("warm call", median(calls), f"{len(calls)} calls, the median")]
    return rows + [_phase(f"- {name}", spent, words) for name, spent in parts.items()]


def _compilation(recorder: Recorder) -> dict[str, list[Row]]:
    """Read the machine code of what was compiled, and the times of the compiler passes."""
    from initperf.profiling.assembly import inspect
    from initperf.profiling.code import compiled_functions
    from initperf.profiling.compiling import llvm_passes, numba_passes

    compiled = compiled_functions()
    code = []
    for one in compiled:
        if one.is_kernel:
            found = dataclasses.asdict(inspect(one.assembly(), one.symbol))
            libm, once = found.pop("libm"), found.pop("libm_once")
            found["libm_in_loops"] = [
                f"{name} x {libm.count(name)}" for name in dict.fromkeys(libm)
            ]
            code.append(
                {"function": one.name, **found, "libm_elsewhere": list(dict.fromkeys(once))}
            )
    return {
        "code": sorted(code, key=lambda row: -row["instructions"]),
        "numba_passes": numba_passes(recorder.spans),
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
    _found = measure(Target.from_json(_target), Path(_directory), float(_seconds))
    Path(_directory, "result.json").write_text(json.dumps(_found))
