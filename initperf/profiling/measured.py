"""The process that is measured: ``python -m initperf.profiling.measured REQUEST``.

It prepares a target, calls it once, compiling it, then many times, then under perf, and writes
what it found as JSON. A process of its own, so that nothing was imported or compiled before.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from initperf.profiling.recording import Recorder, outermost, union_seconds
from initperf.profiling.target import Target, prepare
from initperf.training.phases import observed

_MOST_CALLS = 10_000
_TRACED_CALLS = 500
_TOP = 25


def measure(target: Target, cache: str, seconds: float, directory: Path | None) -> dict[str, Any]:
    """Measure a target in this process.

    Parameters
    ----------
    target : Target
    cache : str
        The directory for compiled code.
    seconds : float
        How long to call it for each thing that is measured.
    directory : pathlib.Path, optional
        Where perf's files go; without it, only phases are measured.

    Returns
    -------
    dict
        What JSON can hold.
    """
    recorder = Recorder()
    work = prepare(target, recorder, cache)
    with recorder.span("import of the profiler", "profiler"):
        from initperf.profiling.compiling import compiler_observed
    with compiler_observed(recorder), recorder.span("first call"):
        work.call()
    compiling = union_seconds(outermost(recorder.of("lock")))
    first = next(span for span in recorder.of("phase") if span.name == "first call").seconds
    found: dict[str, Any] = {
        "title": work.title,
        "process": os.getpid(),
        "compile_s": compiling,
        "first_call_s": max(0.0, first - compiling),
    }
    if directory is not None:
        found |= _warm(work.call, recorder, seconds)
        found |= _inspected(recorder)
        found |= _sampled(work.call, seconds, directory)
    return found | {"spans": [dataclasses.asdict(span) for span in recorder.spans]}


def _warm(call: Callable[[], Any], recorder: Recorder, seconds: float) -> dict[str, Any]:
    inner = Recorder()
    calls: list[float] = []
    begin = time.perf_counter()
    with observed(lambda name, begin, end: inner.add(name, "phase", begin, end)):
        while not calls or (
            len(calls) < _MOST_CALLS and time.perf_counter() - begin + calls[-1] < seconds
        ):
            start = time.perf_counter()
            call()
            end = time.perf_counter()
            calls.append(end - start)
            if len(calls) <= _TRACED_CALLS:
                recorder.add("call", "call", start, end)
    parts: dict[str, float] = {}
    for span in outermost(inner.spans):
        parts[span.name] = parts.get(span.name, 0.0) + span.seconds / len(calls)
    recorder.spans.extend(inner.spans)
    return {
        "calls": len(calls),
        "median_call_s": median(calls),
        "mean_call_s": sum(calls) / len(calls),
        "parts": parts,
    }


def _inspected(recorder: Recorder) -> dict[str, Any]:
    """Read the machine code of what was compiled, and how long its compilation took."""
    from initperf.profiling.assembly import inspect
    from initperf.profiling.code import compiled_functions
    from initperf.profiling.compiling import llvm_passes, numba_passes

    compiled = compiled_functions()
    code = []
    for one in compiled:
        if one.is_kernel:
            found = inspect(one.assembly(), one.symbol)
            code.append({"function": one.name, **dataclasses.asdict(found)})
    return {
        "code": sorted(code, key=lambda row: -row["instructions"]),
        "numba_passes": numba_passes(recorder.spans),
        "llvm_passes": llvm_passes(compiled)[:_TOP],
        "functions_compiled": len(compiled),
    }


def _sampled(call: Callable[[], Any], seconds: float, directory: Path) -> dict[str, Any]:
    """Sample and count calls with perf, as far as it is there."""
    from initperf.profiling import code, perf

    found: dict[str, Any] = {"samples": 0, "counters": [], "perf": ""}
    try:
        program = perf.find()
        event = perf.event(program)
        counters: list[dict[str, Any]] = []
        with perf.counted(program, counters):
            calls = _repeat(call, seconds / 2)
        found |= {"counters": counters, "counted_calls": calls}
        data = directory / "perf.data"
        with perf.sampled(program, event, data):
            _repeat(call, seconds)
        with code.mapped():
            (directory / "perf.script").write_text(perf.script(program, data))
            (directory / "perf.report").write_text(perf.report(program, data))
        data.unlink()
        found |= {"event": event}
    except perf.PerfError as error:
        found["perf"] = str(error)
    return found


def _repeat(call: Callable[[], Any], seconds: float) -> int:
    begin, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - begin < seconds:
        call()
        calls += 1
    return calls


def _main(request: dict[str, Any]) -> None:
    target = Target.from_json(request["target"])
    directory = Path(request["directory"]) if request["directory"] else None
    found = measure(target, request["cache"], request["seconds"], directory)
    Path(request["result"]).write_text(json.dumps(found))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
