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
from pathlib import Path

_INSTALL = (
    "Linux perf is not installed, so there are no samples: apt install linux-perf (Debian), "
    "apt install linux-tools-generic (Ubuntu), dnf install perf (Fedora), pacman -S perf (Arch)"
)
_ELSEWHERE = "there are no samples: perf exists on Linux only"
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
_HERTZ = 997
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
    command = [perf, "stat", "-x,", "-e", "cycles:u", "true"]
    counted = subprocess.run(command, capture_output=True, text=True).stderr
    event = ("cycles" if counted.partition(",")[0].isdigit() else "cpu-clock") + _suffix()
    with tempfile.TemporaryDirectory(prefix="initperf-perf-") as directory:
        data = Path(directory, "perf.data")
        command = [perf, "record", "-e", event, "-F", str(_HERTZ), "--call-graph", "dwarf"]
        said = _attached([*command, "-o", str(data)], call)
        if not data.is_file() or not data.stat().st_size:
            raise PerfError(_refusal(said))
        command = [perf, "script", "-i", str(data), "-F", _FIELDS, "--no-inline"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise PerfError(_refusal(done.stderr))
    return event, done.stdout


def _find() -> str:
    if not sys.platform.startswith("linux"):
        raise PerfError(_ELSEWHERE)
    path = shutil.which("perf")
    if path is None:
        raise PerfError(_INSTALL)
    # Ubuntu's is a script that fails where the tools of the running kernel are missing
    if subprocess.run([path, "--version"], capture_output=True).returncode:
        raise PerfError(f"{path} does not run here; {_INSTALL}")
    return path


def _attached(command: Sequence[str], call: Callable[[], object]) -> str:
    """Call with perf attached from begin to end, and return what perf printed."""
    ask, answer = os.pipe(), os.pipe()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            [*command, "-p", str(os.getpid()), "-D", "-1", "--control", f"fd:{ask[0]},{answer[1]}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"LC_ALL": "C"},  # a decimal point, and the messages _refusal knows
            pass_fds=(ask[0], answer[1]),
        )
        os.close(ask[0])
        os.close(answer[1])
        try:
            with os.fdopen(ask[1], "wb", 0) as control, os.fdopen(answer[0], "rb") as replies:
                try:
                    control.write(b"enable\n")
                    ready = replies.readline()
                except BrokenPipeError:
                    ready = b""
                if ready:  # else it has ended
                    call()
                    child.send_signal(signal.SIGINT)
                child.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise PerfError(f"perf did not end within {_PATIENCE_SECONDS:.0f} s") from None
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        output.seek(0)
        said = output.read()
    if not ready:
        raise PerfError(_refusal(said))
    return said


def _suffix() -> str:
    try:
        level = int(_PARANOID.read_text())
    except (OSError, ValueError):
        level = 2
    return "" if level < 2 or os.geteuid() == 0 else ":u"


def _refusal(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if "rror" in line or "ermission" in line), "")
    try:
        level = _PARANOID.read_text().strip()
    except OSError:
        level = "absent"
    return (
        f"perf cannot sample here ({said or ' '.join(lines[:1]) or 'it gave no reason'}); "
        f"{_PARANOID} is {level}, and sysctl kernel.perf_event_paranoid=2 or less allows it"
    )
