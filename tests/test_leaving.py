"""End of a process whose threads cannot be interrupted: at once, and with what they hold."""

import os
import signal
import threading
from pathlib import Path

import child
import pytest

from initperf._core import leaving
from initperf._core.leaving import held
from initperf._core.sharing import claims_directory


@pytest.fixture
def ended():
    """Give what was ended."""
    return []


def test_what_is_held_ends_with_the_block_whatever_happens(ended):
    with held(lambda: "made", ended.append) as made:
        assert (made, ended) == ("made", [])
    assert ended == ["made"]
    with pytest.raises(KeyError), held(lambda: "other", ended.append):
        raise KeyError
    assert ended == ["made", "other"]
    assert leaving._held == []


def test_what_ends_is_held_until_it_has_ended(ended):
    with held(lambda: 1, lambda _: ended.append(len(leaving._held))):
        pass
    assert ended == [1]


def test_a_process_that_leaves_ends_the_last_first_whatever_fails(monkeypatch, ended):
    def leave():
        def exit_(code):
            ended.append(code)
            raise SystemExit

        monkeypatch.setattr(leaving.os, "_exit", exit_)
        monkeypatch.setattr(leaving, "_leaving", threading.Event())
        leaving.leave(5)

    def fails(made):
        if len(ended) == 1:
            ended.append(made)
            signal.raise_signal(signal.SIGINT)  # heard no more
            raise OSError

    heard = signal.getsignal(signal.SIGINT)
    with held(lambda: 1, ended.append), held(lambda: 2, fails):
        with held(lambda: 3, ended.append), pytest.raises(SystemExit):
            leave()
        signal.signal(signal.SIGINT, heard)
        assert ended[:4] == [3, 2, 1, 5]
        with pytest.raises(RuntimeError, match="the process ends"), held(ended.append, print):
            pass  # nothing is begun any more


def test_a_directory_of_claims_goes_with_its_block():
    with claims_directory() as path:
        assert path.name.startswith("initperf-compile-")
        (path / "claim").touch()
    assert not path.exists()


ENDLESS = """
import os, signal, threading, time
from initperf._core.sharing import claims_directory, helpers
from initperf.claims import CLAIMS, Claim

SLEEPS = ["-n", "1", "-r", "1", "import time; time.sleep(600)"]

def endless(seed, quick):
    with claims_directory(), helpers("timeit", SLEEPS, 1) as (process,):
        print(process.pid, flush=True)
        both.wait()
        if seed == 1:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(600)  # as the compiler: on a thread, where nothing interrupts it
    return 0.0

both = threading.Barrier(2)
claim = Claim(
    name="endless", statement="", cite="", setting="", quantity="", number=None, low=0.0,
    high=1.0, tolerance="", measure=endless,
)
CLAIMS.register("endless", claim)
"""

REPRODUCES = """
import sys
sys.path.insert(0, "")
import endless
from initperf import cli
sys.argv[1:] = ["reproduce", "endless", "--workers", "2", "--out", "kept"]
sys.exit(cli.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends a process there, without Ctrl-C")
def test_ctrl_c_ends_a_reproduction_and_what_its_seeds_have_begun(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "endless.py").write_text(ENDLESS)
    process = child.start(REPRODUCES, TMPDIR=str(tmp_path / "temporary"))
    try:
        printed, complaints = process.communicate(timeout=child.TIMEOUT_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 130
    assert complaints.splitlines()[-1] == "initperf: interrupted"
    assert len(printed.split()) == 2
    assert not [pid for pid in printed.split() if _runs(int(pid))]
    assert not list((tmp_path / "temporary").iterdir())


def _runs(pid):
    """Return whether a process runs, and has not just ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
