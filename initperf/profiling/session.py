"""A whole profile: two processes measured, and their findings joined into tables and files."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import elftools  # noqa: F401 - the process that is measured needs it: say so before it starts

from initperf._core.progress import Progress, silent
from initperf.profiling.recording import Recorder, Span
from initperf.profiling.stacks import Sample, by_thread, functions, read_samples
from initperf.profiling.target import Target

_INSPECTED = {"NUMBA_DISABLE_JIT": "0", "NUMBA_DEBUG_CACHE": "0"}
_TIMED = {"NUMBA_LLVM_PASS_TIMINGS": "1"}

Tables = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Profile:
    """What was found.

    Attributes
    ----------
    title : str
        The target in words.
    tables : dict
        By name, each a list of rows: phases, numba_passes, llvm_passes, code, and where perf
        works, samples and counters.
    notes : list of str
        What to know when reading them, and what is missing.
    spans : list of Span
        Of both processes.
    processes : dict of int to str
        What each process was for.
    samples : list of Sample
    event : str
        What was sampled.
    texts : dict of str to str
        perf's own output, by the name of a file.
    """

    title: str
    tables: Tables
    notes: list[str]
    spans: list[Span]
    processes: dict[int, str]
    samples: list[Sample]
    event: str
    texts: dict[str, str]


def profile(target: Target, seconds: float = 2.0, progress: Progress = silent) -> Profile:
    """Profile a target.

    Parameters
    ----------
    target : Target
    seconds : float
        How long to call it for each thing that is measured; it is called once at least.
    progress : callable, optional
        Called with (steps done, steps in all, what comes next).

    Returns
    -------
    Profile

    Raises
    ------
    RuntimeError
        When a process that was measured failed; the message is its last line.
    """
    with tempfile.TemporaryDirectory(prefix="initperf-profile-") as temporary:
        place = Path(temporary)
        cache = place / "cache"
        progress(0, 2, "compiling, calling and sampling")
        fresh = _measured(target, cache, seconds, place, _INSPECTED | _TIMED)
        progress(1, 2, "loading what was compiled")
        again = _measured(target, cache, seconds, None, _INSPECTED)
        texts = {
            name: (place / name).read_text()
            for name in ("perf.script", "perf.report")
            if (place / name).is_file()
        }
        progress(2, 2, "")
    samples = list(read_samples(texts.get("perf.script", "")))
    spans = [Span(**fields) for one in (fresh, again) for fields in one["spans"]]
    tables: Tables = {
        "phases": _phases(fresh, again),
        "samples": functions(samples) if samples else [],
        "counters": _counters(fresh),
        "code": [_code_row(row) for row in fresh["code"]],
        "numba_passes": fresh["numba_passes"],
        "llvm_passes": fresh["llvm_passes"],
    }
    return Profile(
        title=fresh["title"],
        tables=tables,
        notes=_notes(fresh, samples),
        spans=spans,
        processes={
            fresh["process"]: "compiled here",
            again["process"]: "compiled before, loaded here",
        },
        samples=samples,
        event=fresh.get("event", ""),
        texts=texts,
    )


def _measured(
    target: Target, cache: Path, seconds: float, directory: Path | None, settings: dict[str, str]
) -> dict[str, Any]:
    home = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    result = cache.with_name("result.json")
    request = {
        "target": target.to_json(),
        "cache": str(cache),
        "seconds": seconds,
        "directory": str(directory) if directory else None,
        "result": str(result),
    }
    done = subprocess.run(
        [sys.executable, "-m", "initperf.profiling.measured", json.dumps(request)],
        env=os.environ | settings | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise RuntimeError(f"the process that was measured failed: {reason}")
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def _phases(fresh: dict[str, Any], again: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {"phase": name, "seconds": seconds, "of": "a new process"}
        for name, seconds in _prepared(fresh).items()
    ]
    rows += [
        {"phase": "compile", "seconds": fresh["compile_s"], "of": "the first call"},
        {
            "phase": "load compiled code instead",
            "seconds": again["compile_s"],
            "of": "the first call in another process",
        },
        {"phase": "first call without that", "seconds": fresh["first_call_s"], "of": ""},
        {
            "phase": "warm call",
            "seconds": fresh["median_call_s"],
            "of": f"{fresh['calls']} calls, the median",
        },
    ]
    parts = fresh["parts"]
    if parts:
        parts = parts | {"rest": fresh["mean_call_s"] - sum(parts.values())}
    rows += [
        {
            "phase": f"- {name}",
            "seconds": seconds,
            "of": f"the warm calls, mean of {fresh['calls']}",
        }
        for name, seconds in parts.items()
    ]
    return rows


def _prepared(fresh: dict[str, Any]) -> dict[str, float]:
    """Return the phases before the first call."""
    recorder = Recorder()
    recorder.spans = [Span(**fields) for fields in fresh["spans"]]
    first = next(span for span in recorder.of("phase") if span.name == "first call")
    total: dict[str, float] = {}
    for span in recorder.of("phase"):
        if span.end <= first.begin:
            total[span.name] = total.get(span.name, 0.0) + span.seconds
    return total


def _code_row(row: dict[str, Any]) -> dict[str, Any]:
    calls = {name: row["libm"].count(name) for name in row["libm"]}
    return {
        "function": row["function"],
        "vector_bits": row["vector_bits"],
        "packed": row["packed"],
        "scalar": row["scalar"],
        "instructions": row["instructions"],
        "libm_in_loops": [f"{name} x {count}" for name, count in calls.items()],
        "libm_elsewhere": list(dict.fromkeys(row["libm_once"])),
    }


def _counters(fresh: dict[str, Any]) -> list[dict[str, Any]]:
    calls = fresh.get("counted_calls", 1)
    return [
        {
            "event": row["event"],
            "per_call": None if row["count"] is None else row["count"] / calls,
            "unit": row["unit"] if row["count"] is not None else "not counted by this machine",
        }
        for row in fresh["counters"]
    ]


def _notes(fresh: dict[str, Any], samples: list[Sample]) -> list[str]:
    notes = [
        "Compilation is timed with LLVM's own pass timings switched on, which slow it a little.",
        "A pass counts without what was compiled inside it; LLVM's passes run inside "
        "native_lowering.",
        "Vector bits are the widest with which a loop of the function computes; loops keep scalar "
        "instructions for the remainder.",
    ]
    if fresh["perf"]:
        return [*notes, f"{fresh['perf']}."]
    threads = by_thread(samples)
    return [
        *notes,
        f"{len(samples)} samples of {fresh['event']}, by thread: "
        f"{', '.join(map(str, sorted(threads.values(), reverse=True)))}.",
        "Stacks end at jitted functions, for which perf finds no table for unwinding: who called "
        "one is not known, whom it called is.",
    ]
