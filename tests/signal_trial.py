"""Verbs ended by signals: ``python tests/signal_trial.py --signals 96`` counts what goes wrong.

Each verb runs in a session of its own and gets Ctrl-C (SIGINT to all of its processes), SIGTERM or
SIGHUP at a random time. It must end soon, with the exit code of an interruption and one line about
it, and leave neither processes nor temporary files. Linux only.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_END_SECONDS = 30.0
"""Time for the end of an interpreter and its children, on a machine that does other work."""

_INTERRUPTED = 130

_VERB = """
import os, sys
from initperf import cli
os.write(3, b"begun")
os.close(3)
sys.exit(cli.main(sys.argv[1:]))
"""


@dataclass
class Outcome:
    """Counts of a trial.

    Attributes
    ----------
    signals : int
        Signals that a running verb got.
    earlier : int
        Verbs that had ended by themselves, and are tried again.
    failures : list of str
        What went wrong, a line each.
    """

    signals: int = 0
    earlier: int = 0
    failures: list[str] = field(default_factory=list)


def verbs(place: Path) -> list[tuple[list[str], float, dict[str, str]]]:
    """Return command lines that take long, the latest time of a signal in s, and variables.

    Parameters
    ----------
    place : Path
        Directory with ``data.npz``.
    """
    data = ["--dataset", str(place / "data.npz"), "--hidden", "8", "--record", "none"]
    long = [*data, "--epochs", "1000000"]
    processes = ["--executor", "processes", "--workers", "2"]
    return [
        (["train", *long], 4.0, {}),
        (["sweep", *long, "--seed", "0-3", "--out", "runs"], 4.0, {}),
        (["sweep", *long, "--seed", "0-3", "--out", "runs", *processes], 8.0, {}),
        (["train", *long], 8.0, {"INITPERF_CACHE": str(place / "cold")}),
        (["warmup"], 8.0, {"INITPERF_CACHE": str(place / "warm")}),
        (["reproduce", "he_trains_thirty"], 12.0, {"INITPERF_CACHE": str(place / "claims")}),
        (["bench", "--save", "bench.json"], 6.0, {}),
        (["report", "--quick", "--out", "page"], 12.0, {}),
        (["profile", "--seconds", "60", "draw", "he_normal", "4000", "4000"], 6.0, {}),
    ]


def send(turn: int, place: Path, generator: random.Random, outcome: Outcome) -> None:
    """Send one signal to one verb, and note what is wrong afterwards.

    Parameters
    ----------
    turn : int
        Chooses verb and signal.
    place : Path
    generator : random.Random
        Chooses the time.
    outcome : Outcome
    """
    known = verbs(place)
    words, latest, variables = known[turn % len(known)]  # then each with each signal
    number = SIGNALS[turn // len(known) % len(SIGNALS)]
    work, temporary = (Path(tempfile.mkdtemp(dir=place)) for _ in range(2))
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TMPDIR": str(temporary),
        **variables,
    }
    reading, writing = os.pipe()
    process = subprocess.Popen(
        ["bash", "-c", f'exec 3>&{writing} "$@"', "bash", sys.executable, "-c", _VERB, *words],
        cwd=work,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=[writing],
    )
    os.close(writing)
    os.read(reading, 5)
    os.close(reading)
    moment = generator.uniform(0.0, latest)
    time.sleep(moment)
    told = f"{' '.join(words)}, {number.name} after {moment:.2f} s"
    if process.poll() is not None:
        outcome.earlier += 1
        return
    send_to = os.killpg if number == signal.SIGINT else os.kill
    send_to(process.pid, number)
    outcome.signals += 1
    try:
        _, said = process.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate()
        outcome.failures.append(f"{told}: it did not end; {said[-500:]!r}")
        return
    wrong = _wrong(process.returncode, said, number, moment)
    wrong += [f"left {path.name}" for path in _left(work, temporary)]
    wrong += [f"left process {name}" for name in _living(process.pid)]
    outcome.failures += [f"{told}: {one}" for one in wrong]


def _wrong(code: int, said: str, number: signal.Signals, moment: float) -> list[str]:
    # before the command line is imported, which takes a second on a busy machine, the signals
    # that end a process have nothing to clean up
    if code == -number and number != signal.SIGINT and moment < 1.0 and not said:
        return []
    lines = [line for line in said.splitlines() if line]
    wrong = [] if code == _INTERRUPTED else [f"exit {code}; {said[-500:]!r}"]
    if "Traceback" in said or "Exception ignored" in said:
        wrong.append(f"said {said[-1500:]!r}")
    elif not lines or lines[-1] != "initperf: interrupted":
        wrong.append(f"said {lines[-1:]}")
    return wrong


def _left(work: Path, temporary: Path) -> list[Path]:
    """Return temporary files, and a half-written report or file of benchmarks."""
    found = [*temporary.iterdir(), *work.rglob(".*")]
    return found + [path for path in (work / "page", work / "bench.json") if path.exists()]


def _living(group: int) -> list[str]:
    """Return the processes of a group that have not ended within some seconds."""
    deadline = time.monotonic() + _END_SECONDS / 3
    while True:
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = status.read_text().rpartition(")")
            except OSError:  # it has ended
                continue
            state, _, own, *_ = rest.split()
            if int(own) == group and state != "Z":
                found.append(name)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def run(count: int, seed: int = 0) -> Outcome:
    """Send signals until so many running verbs got one.

    Parameters
    ----------
    count : int
    seed : int
        Seeds the moments.
    """
    generator, outcome = random.Random(seed), Outcome()
    # ignored in jobs of a shell and under nohup, which verbs would inherit and respect
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        place, rng = Path(directory), np.random.default_rng(0)
        labels = np.arange(300) % 3
        images = rng.normal(size=(300, 8)) + 3.0 * labels[:, None]
        np.savez(place / "data.npz", X=images, y=labels)
        turn = 0
        while outcome.signals < count and outcome.earlier < count:
            send(turn, place, generator, outcome)
            turn += 1
    return outcome


def main() -> None:
    """Run the trial and print the counts and every failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcome = run(arguments.signals, arguments.seed)
    for failure in outcome.failures:
        print(failure)
    print(
        f"{outcome.signals} signals, {len(outcome.failures)} failures, "
        f"{outcome.earlier} verbs had ended before"
    )
    sys.exit(bool(outcome.failures))


if __name__ == "__main__":
    main()
