"""Linux perf, attached to this process: samples and hardware counters of a block of code.

The jitted functions are named by perf itself, from the map that this process writes. Stacks are
unwound by DWARF, since neither CPython nor Numba keeps frame pointers.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

INSTALL = (
    "Linux perf is not installed, so there are no samples: apt install linux-perf (Debian), "
    "apt install linux-tools-generic (Ubuntu), dnf install perf (Fedora), pacman -S perf (Arch)"
)
ELSEWHERE = "there are no samples: perf exists on Linux only"
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
_RATE = 997
_COUNTERS = (
    *("task-clock", "page-faults", "context-switches", "cycles", "instructions"),
    *("cache-references", "cache-misses", "branches", "branch-misses"),
)
_FIELDS = "comm,tid,time,event,ip,sym,dso"
_PATIENCE_SECONDS = 30.0


class PerfError(Exception):
    """Perf is not there, or cannot do here what it was asked for; the message says what to do."""


def find() -> str:
    """Return the path of perf.

    Raises
    ------
    PerfError
        When there is none that runs.
    """
    if not sys.platform.startswith("linux"):
        raise PerfError(ELSEWHERE)
    path = shutil.which("perf")
    if path is None:
        raise PerfError(INSTALL)
    # Ubuntu's is a script that fails where the tools of the running kernel are missing
    if subprocess.run([path, "--version"], capture_output=True).returncode:
        raise PerfError(f"{path} does not run here; {INSTALL}")
    return path


def event(perf: str) -> str:
    """Return what to sample by: processor cycles where the machine counts them, else its clock.

    Of user code alone where the system allows no more.
    """
    command = [perf, "stat", "-x,", "-e", "cycles:u", "true"]
    counted = subprocess.run(command, capture_output=True, text=True).stderr
    name = "cycles" if counted.partition(",")[0].isdigit() else "cpu-clock"
    return name + _suffix()


def _suffix() -> str:
    try:
        level = int(_PARANOID.read_text())
    except (OSError, ValueError):
        level = 2
    return "" if level < 2 or os.geteuid() == 0 else ":u"


@contextmanager
def sampled(perf: str, event: str, data: Path) -> Iterator[None]:
    """Sample all threads of this process for the length of the block.

    Parameters
    ----------
    perf, event : str
        As `find` and `event` give them.
    data : pathlib.Path
        The file that perf writes.

    Raises
    ------
    PerfError
        When perf cannot sample here.
    """
    command = [perf, "record", "-e", event, "-F", str(_RATE), "--call-graph", "dwarf"]
    with tempfile.TemporaryFile("w+") as output:
        with _attached([*command, "-o", str(data)], output):
            yield
        if not data.is_file() or not data.stat().st_size:
            raise PerfError(_refusal(_text(output)))


@contextmanager
def counted(perf: str, rows: list[dict[str, Any]]) -> Iterator[None]:
    """Count events of this process in the block.

    Parameters
    ----------
    perf : str
        Its path.
    rows : list
        One row for each event is added: event, count, and what a call to perf says of it. The
        count is None where the machine does not have it.
    """
    names = ",".join(name + _suffix() for name in _COUNTERS)
    with tempfile.TemporaryFile("w+") as output:
        with _attached([perf, "stat", "-x,", "-e", names], output):
            yield
        rows.extend(counters(_text(output)))


def counters(text: str) -> list[dict[str, Any]]:
    """Read what ``perf stat -x,`` printed: event, count (None where not counted), unit."""
    rows = []
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 3 and not line.startswith("#"):
            value = float(fields[0]) if fields[0][:1].isdigit() else None
            name = fields[2].partition(":")[0]
            rows.append({"event": name, "count": value, "unit": fields[1]})
    return rows


def script(perf: str, data: Path) -> str:
    """Return the samples of a file as perf prints them, one stack a paragraph."""
    command = [perf, "script", "-i", str(data), "-F", _FIELDS, "--no-inline"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise PerfError(_refusal(done.stderr))
    return done.stdout


def report(perf: str, data: Path) -> str:
    """Return perf's own report of a file, by function."""
    command = [perf, "report", "-i", str(data), "--stdio", "--no-children", "-g", "none"]
    return subprocess.run(command, capture_output=True, text=True, errors="replace").stdout


@contextmanager
def _attached(command: Sequence[str], output: IO[str]) -> Iterator[None]:
    """Run perf beside the block; it counts from the block's begin to its end."""
    ask, answer = os.pipe(), os.pipe()
    child = subprocess.Popen(
        [*command, "-p", str(os.getpid()), "-D", "-1", "--control", f"fd:{ask[0]},{answer[1]}"],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=os.environ | {"LC_ALL": "C"},  # a decimal point, and messages as they are known
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
            if not ready:  # it ended
                raise PerfError(_refusal(_text(output)))
            yield
            child.send_signal(signal.SIGINT)
            try:
                child.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                words = f"perf did not end within {_PATIENCE_SECONDS:.0f} s"
                raise PerfError(words) from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _text(output: IO[str]) -> str:
    output.seek(0)
    return output.read()


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
