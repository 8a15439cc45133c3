"""Linux perf attached to this process: samples of a call.

Perf names jitted functions from the map that `initperf.profiling.code.mapped` writes. It unwinds
stacks by DWARF, because neither CPython nor Numba keeps frame pointers.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

_INSTALL = (
    "Linux perf is not installed, so there are no samples: apt install linux-perf (Debian), "
    "apt install linux-tools-generic (Ubuntu), dnf install perf (Fedora), pacman -S perf (Arch)"
)
_ELSEWHERE = "there are no samples: perf exists on Linux only"
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
_RECORD = ("-F", "997", "--call-graph", "dwarf")
_FIELDS = "comm,tid,time,event,ip,sym,dso"
_PATIENCE_SECONDS = 30.0


class PerfError(Exception):
    """Perf is missing, or cannot do here what it was asked for; the message says what to do."""


def sampled(call: Callable[[], object]) -> tuple[str, str]:
    """Sample all threads of this process during a call.

    Parameters
    ----------
    call : callable

    Returns
    -------
    event, script : str
        What was sampled: processor cycles where the machine counts them, else its clock; of user
        code alone where the system allows no more. And the samples as perf prints them, one stack
        a paragraph.

    Raises
    ------
    PerfError
        When there is no perf that runs, or it cannot sample here.
    """
    perf = _find()
    counted = _run(perf, "stat", "-x,", "-e", "cycles:u", "true").stderr
    event = "cycles" if counted.partition(",")[0].isdigit() else "cpu-clock"
    if _paranoia() not in ("-1", "0", "1") and os.geteuid():
        event += ":u"
    with tempfile.TemporaryDirectory(prefix="initperf-perf-") as directory:
        data = Path(directory, "perf.data")
        said = _attached([perf, "record", "-e", event, *_RECORD, "-o", str(data)], call)
        if not data.is_file() or not data.stat().st_size:
            raise PerfError(_refusal(said))
        done = _run(perf, "script", "-i", str(data), "-F", _FIELDS, "--no-inline")
    if done.returncode:
        raise PerfError(_refusal(done.stderr))
    return event, done.stdout


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, errors="replace")


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


def _attached(command: Sequence[str], call: Callable[[], object]) -> str:
    """Call with perf attached from begin to end, and return what perf printed."""
    ask, answer = os.pipe(), os.pipe()
    child = subprocess.Popen(
        [*command, "-p", str(os.getpid()), "-D", "-1", "--control", f"fd:{ask[0]},{answer[1]}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"LC_ALL": "C"},  # a decimal point, and the messages _refusal knows
        pass_fds=(ask[0], answer[1]),
    )
    os.close(ask[0])
    os.close(answer[1])
    with child, os.fdopen(ask[1], "wb", 0) as control, os.fdopen(answer[0], "rb") as replies:
        try:
            with suppress(BrokenPipeError):
                control.write(b"enable\n")
            if ready := replies.readline():  # else it has ended
                call()
                child.send_signal(signal.SIGINT)
            said, _ = child.communicate(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise PerfError(f"perf did not end within {_PATIENCE_SECONDS:.0f} s") from None
        finally:
            child.kill()
    if not ready:
        raise PerfError(_refusal(said))
    return said


def _paranoia() -> str:
    try:
        return _PARANOID.read_text().strip()
    except OSError:
        return "absent"


def _refusal(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if "rror" in line or "ermission" in line), "")
    return (
        f"perf cannot sample here ({said or ' '.join(lines[:1]) or 'it gave no reason'}); "
        f"{_PARANOID} is {_paranoia()}, and sysctl kernel.perf_event_paranoid=2 or less allows it"
    )
