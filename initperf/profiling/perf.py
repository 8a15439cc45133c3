"""Linux perf attached to this process: samples of a call.

Perf names jitted functions from the map that `initperf.profiling.code.mapped` writes. It unwinds
stacks by DWARF, because neither CPython nor Numba keeps frame pointers.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_INSTALL = (
    "Linux perf is not installed, so there are no samples: apt install linux-perf (Debian), "
    "apt install linux-tools-generic (Ubuntu), dnf install perf (Fedora), pacman -S perf (Arch)"
)
_ELSEWHERE = "there are no samples: perf exists on Linux only"
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
# Unless told not to, perf copies all libraries that it met into ~/.debug, and leaves them there.
# It itself takes the clock where no cycles are counted, and user code where no more is allowed
_RECORD = ("record", "-e", "cycles", "-F", "997", "--call-graph", "dwarf", "--no-buildid-cache")
_SCRIPT = ("script", "--no-inline", "-F", "comm,tid,time,event,ip,sym,dso")
_EVENT = re.compile(r"^\S.*?\d\.\d+: +([\w/-]+(?::u)?)", re.MULTILINE)
_WORKLOAD = ("--", "sh", "-c", "echo attached; read end")  # perf samples until it ends
_ENGLISH = {"LC_ALL": "C"}  # a decimal point, and the messages that _refusal knows


class PerfError(Exception):
    """Perf is missing, or cannot do here what it was asked for; the message says what to do."""


def sampled(
    call: Callable[[], object], seconds: float, patience_s: float = 30.0
) -> tuple[str, str]:
    """Sample all threads of this process during calls.

    Parameters
    ----------
    call : callable
    seconds : float
        How long to call; it is called once at least.
    patience_s : float
        Seconds that perf may take after the calls.

    Returns
    -------
    event, script : str
        What was sampled: processor cycles where the machine counts them, else its clock; of user
        code alone (``:u``) where the system allows no more. And the samples as perf prints them,
        one stack a paragraph.

    Raises
    ------
    PerfError
        When there is no perf that runs, it cannot sample here, or it does not end.
    """

    def repeat() -> None:
        end = time.perf_counter() + seconds
        call()
        while time.perf_counter() < end:
            call()

    perf = _find()
    with tempfile.TemporaryDirectory(prefix="initperf-perf-") as directory:
        file = str(Path(directory, "perf.data"))
        said = _recorded((perf, *_RECORD, "-o", file, "-p", str(os.getpid())), repeat, patience_s)
        done = _run(perf, *_SCRIPT, "-i", file)
    event = _EVENT.search(done.stdout)
    if event is None:
        raise PerfError(_refusal(said + done.stderr))
    return event[1], done.stdout


def _find() -> str:
    if not sys.platform.startswith("linux"):
        raise PerfError(_ELSEWHERE)
    path = shutil.which("perf")
    if path is None:
        raise PerfError(_INSTALL)
    # Ubuntu's is a script that fails where the tools of the running kernel are missing
    if _run(path, "--version").returncode:
        raise PerfError(f"{path} does not run here; {_INSTALL}")
    return path


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | _ENGLISH,
    )


def _recorded(command: tuple[str, ...], call: Callable[[], object], patience_s: float) -> str:
    """Call while perf records, and return what perf printed."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        (*command, *_WORKLOAD),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        encoding="utf-8",
        errors="replace",
        env=os.environ | _ENGLISH,
    ) as child:
        try:
            if child.stdout and child.stdout.readline():  # else perf has ended
                call()
            return child.communicate(timeout=patience_s)[1]  # it closes what the workload reads
        except subprocess.TimeoutExpired:
            raise PerfError(f"perf did not end within {patience_s:g} s") from None
        finally:
            child.kill()


def _refusal(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() not in ("", "Error:")]
    said = next((line for line in lines if "rror" in line or "ermission" in line), "")
    paranoia = _PARANOID.read_text().strip() if _PARANOID.is_file() else "absent"
    return (
        f"perf cannot sample here ({said or ' '.join(lines[:1]) or 'it gave no reason'}); "
        f"{_PARANOID} is {paranoia}, and sysctl kernel.perf_event_paranoid=2 or less allows it"
    )
