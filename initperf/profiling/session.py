"""Profile of a target: two processes are measured, and their results joined into tables."""

import json
import subprocess
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from initperf._core.child_python import python_command, python_environment
from initperf._core.progress import Progress, silent
from initperf.profiling.samples import Sample, functions, read_samples
from initperf.profiling.spans import Span, trace
from initperf.profiling.target import Target

_SETTINGS = {"NUMBA_DISABLE_JIT": "0", "NUMBA_DEBUG_CACHE": "0", "NUMBA_LLVM_PASS_TIMINGS": "1"}
_NOTES = (
    "Compilation is timed with LLVM's pass timings on, which slow it a little.",
    "A pass counts without what was compiled inside it; LLVM's passes run inside native_lowering.",
    "Vector bits are the widest with which a loop of the function computes, as LLVM has optimised "
    "it; loops keep scalar instructions for the remainder.",
)


@dataclass(frozen=True)
class Profile:
    """Result of a profile.

    Attributes
    ----------
    title : str
        The target in words.
    tables : dict of str to list of dict
        Rows of phases, samples (none where perf does not work), code, numba_passes and
        llvm_passes.
    notes : list of str
        How to read the tables, and what is missing.
    trace : dict
        Spans of both processes, in the Trace Event Format.
    samples : list of Sample
    event : str
        What was sampled.
    script : str
        Samples as perf printed them.
    """

    title: str
    tables: dict[str, list[dict[str, Any]]]
    notes: list[str]
    trace: dict[str, Any]
    samples: list[Sample]
    event: str
    script: str


def profile(target: Target, seconds: float = 2.0, progress: Progress = silent) -> Profile:
    """Profile a target.

    Parameters
    ----------
    target : Target
    seconds : float
        How long to call it for each measurement; it is called once at least.
    progress : callable, optional
        Called with (steps done, steps in all, label of the next step).

    Raises
    ------
    ValueError
        When `seconds` is not positive.
    RuntimeError
        When a measured process failed; the message is its last line.
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, not {seconds:g}")
    with tempfile.TemporaryDirectory(prefix="initperf-profile-") as temporary:
        progress(0, 2, "compiling, calling and sampling")
        fresh = _measured(target, Path(temporary), seconds)
        progress(1, 2, "loading what was compiled")
        again = _measured(target, Path(temporary), 0.0)
        progress(2, 2, "")
    sampled = fresh["perf"]
    samples = list(read_samples(sampled["script"]))
    phases = fresh["phases"]
    compiled = next(at for at, row in enumerate(phases) if row["phase"] == "compile")
    loading = {"phase": "load compiled code instead", "seconds": again["compile_s"]}
    phases.insert(compiled + 1, loading | {"of": "a first call of another process"})
    names = {fresh["process"]: "compiled here", again["process"]: "compiled before, loaded here"}
    return Profile(
        title=fresh["title"],
        tables={"phases": phases, "samples": functions(samples), **fresh["tables"]},
        notes=[*_NOTES, *_notes(samples, sampled["event"], sampled["refusal"])],
        trace=trace((Span(**span) for one in (fresh, again) for span in one["spans"]), names),
        samples=samples,
        event=sampled["event"],
        script=sampled["script"],
    )


def _measured(target: Target, directory: Path, seconds: float) -> dict[str, Any]:
    """Run `initperf.profiling.measured` and return its result."""
    words = (json.dumps(asdict(target)), str(directory), str(seconds))
    done = subprocess.run(
        python_command("-m", "initperf.profiling.measured", *words),
        env=python_environment(**_SETTINGS),
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise RuntimeError(f"the measured process failed: {reason}")
    found: dict[str, Any] = json.loads(Path(directory, "result.json").read_text())
    return found


def _notes(samples: list[Sample], event: str, refusal: str) -> list[str]:
    if refusal:
        return [refusal]
    threads = Counter(sample.thread for sample in samples)
    return [
        f"{len(samples)} samples of {event}, by thread: "
        f"{', '.join(str(count) for _, count in threads.most_common())}.",
        "Stacks end at jitted functions, for which perf has no unwinding tables: their callers are "
        "not known, what they call is.",
    ]
