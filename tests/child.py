"""Python in a process of its own, with what this one can import."""

import os
import subprocess
import sys
import textwrap

TIMEOUT_SECONDS = 300

PARTED = """
from initperf.jit import tuning
tuning.SERIAL_OPERATIONS, tuning.SHARE_OPERATIONS, tuning.FILL_PIECE = 0, 1, 1 << 12
"""
"""Code by which draws of a few pages, too, are parted among threads."""


def start(code: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a process that runs `code` with `environment` added to the present one."""
    known = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=known | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: "subprocess.Popen[str]") -> str:
    """Wait for a process, fail with its error output if it failed, and return what it printed."""
    try:
        printed, complaints = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, complaints = process.communicate()
        raise AssertionError(f"hangs\n{printed}\n{complaints}") from None
    assert process.returncode == 0, f"exit {process.returncode}\n{complaints}"
    return printed


def run(code: str, *arguments: str, **environment: str) -> str:
    """Run `code` in a process of its own and return what it printed."""
    return output(start(code, *arguments, **environment))
