"""Costs of the first minutes with the package: processor seconds of new processes.

Each row is a command as a user types it, run in a process of its own; seconds are those of the
process and of all that it starts, on every processor together. Seconds differ from machine to
machine; the ratio to ``import numba``, which every row contains, differs less.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

IMPORT = "import numba"
"""Name of the row that all others are compared with."""

_SHELL = ("-m", "initperf")


@dataclass(frozen=True)
class FirstUse:
    """A command, and the cache that it finds.

    Attributes
    ----------
    name : str
        Name of the row.
    words : tuple of str
        Arguments of the Python interpreter.
    cache : str
        Commands with the same name share a cache of machine code, which the first of them finds
        empty.
    repeatable : bool
        Whether the command costs the same when it is run again.
    """

    name: str
    words: tuple[str, ...]
    cache: str
    repeatable: bool = False


_HE = (*_SHELL, "draw", "he_normal", "784", "256")
_ORTHOGONAL = (*_SHELL, "draw", "orthogonal", "784", "256")
_PYTHON = "import initperf; initperf.draw('he_normal', (784, 256), rng=0)"
_TRAIN = (*_SHELL, "train", "--hidden", "64", "--epochs", "1")

FIRST_USES = (
    FirstUse(IMPORT, ("-c", "import numba"), "draw", repeatable=True),
    FirstUse("cold draw he_normal", _HE, "draw"),
    FirstUse("cold draw orthogonal after it", _ORTHOGONAL, "draw"),
    FirstUse("warm draw he_normal", _HE, "draw", repeatable=True),
    FirstUse("warm import and draw", ("-c", _PYTHON), "draw", repeatable=True),
    FirstUse("cold train", (*_SHELL, "train"), "train"),
    FirstUse(
        "train with tanh and adam after it",
        (*_SHELL, "train", "--activation", "tanh", "--optimizer", "adam"),
        "train",
    ),
    FirstUse("warm train, 64 units, 1 epoch", _TRAIN, "train", repeatable=True),
    FirstUse("cold report --quick", (*_SHELL, "report", "--quick", "--out", "page"), "report"),
)
"""The rows, in an order in which each finds the cache that its name tells of."""


@dataclass(frozen=True)
class Cost:
    """What one run of a command cost.

    Attributes
    ----------
    processor_s, wall_s : float
        Processor seconds of the process and its descendants, and elapsed seconds.
    """

    processor_s: float
    wall_s: float


def run(use: FirstUse, caches: Path) -> Cost:
    """Run a command and return its cost.

    Parameters
    ----------
    use : FirstUse
    caches : pathlib.Path
        Directory of the caches, each in a directory of its own, and of what commands write.

    Raises
    ------
    subprocess.CalledProcessError
        When the command fails.
    """
    home = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    known = os.environ | {"PYTHONPATH": path, "INITPERF_CACHE": str(caches / use.cache)}
    before, begin = _spent(), time.perf_counter()
    command = [sys.executable, *use.words]
    subprocess.run(command, env=known, cwd=caches, check=True, stdout=subprocess.DEVNULL)
    return Cost(_spent() - before, time.perf_counter() - begin)


def _spent() -> float:
    """Return the processor seconds of processes that this one has started and waited for."""
    times = os.times()
    return times.children_user + times.children_system


def costs(caches: Path, rounds: int = 5) -> dict[str, list[Cost]]:
    """Run all commands, those that can be repeated several times and in turn.

    Parameters
    ----------
    caches : pathlib.Path
        An empty directory.
    rounds : int
        Runs of each command that costs the same each time.

    Returns
    -------
    dict
        Costs by name of the row, in the order of `FIRST_USES`.
    """
    found = {use.name: [run(use, caches)] for use in FIRST_USES}
    repeated = [use for use in FIRST_USES if use.repeatable]
    for _ in range(rounds - 1):
        for use in repeated:
            found[use.name].append(run(use, caches))
    return found


def ratios(found: dict[str, list[Cost]]) -> dict[str, float]:
    """Return the median processor seconds of each row divided by those of ``import numba``.

    Parameters
    ----------
    found : dict
        As `costs` returns it.
    """
    medians = {name: median(one.processor_s for one in runs) for name, runs in found.items()}
    return {name: seconds / medians[IMPORT] for name, seconds in medians.items()}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="initperf-first-use-") as directory:
        table = costs(Path(directory))
    for name, ratio in ratios(table).items():
        spent, waited = (
            median(getattr(one, column) for one in table[name])
            for column in ("processor_s", "wall_s")
        )
        print(f"{name:36} {spent:7.2f} s {ratio:7.2f} times import numba, {waited:7.2f} s elapsed")
