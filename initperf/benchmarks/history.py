"""Benchmark results of one commit after another, and the commits at which their level changed.

A comparison of two sessions sees a slowdown of a few percent with difficulty; a series of them
sees it as a step. Times are corrected by the controls of each session, as in `_noise`, and each
series is cut where `initperf.benchmarks.change_points` finds a change of its level.
"""

import datetime
import json
import math
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initperf._core.reading import read_text
from initperf._core.storage import replacing
from initperf.benchmarks.change_points import change_points
from initperf.benchmarks.results_file import read_benchmarks
from initperf.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


@dataclass(frozen=True)
class Session:
    """The times of a session.

    Attributes
    ----------
    commit : str
        Name of the commit that was measured.
    date : datetime.datetime
        When it was committed; sessions are in its order.
    processor : str
        What it ran on; series never mix processors.
    times_s : mapping of str to float
        Seconds of each benchmark.
    controls : tuple of str
        Benchmarks of code that is not initperf's.
    """

    commit: str
    date: datetime.datetime
    processor: str
    times_s: Mapping[str, float]
    controls: tuple[str, ...]


def add(directory: str | Path, file: str | Path, commit: str | None = None) -> Path:
    """Add a session to a history, or replace that of the same commit and processor.

    Parameters
    ----------
    directory : str or pathlib.Path
        The history; it is created.
    file : str or pathlib.Path
        Its JSON, as `initperf compare` reads it.
    commit : str, optional
        What was measured: a revision of the repository around the working directory, whose commit
        gives the date; its checked out commit by default.

    Returns
    -------
    pathlib.Path
        The file of the session in the history.

    Raises
    ------
    DataError
        When the file is not of pytest-benchmark.
    UsageError
        When there is no such commit here, or the directory cannot be written.
    """
    session = read_benchmarks(file)
    sha, date = _commit(commit or "HEAD")
    content = {
        "initperf_history": SCHEMA,
        "commit": sha,
        "date": date,
        "processor": session.processor,
        "times_s": {name: one.least_s for name, one in session.benchmarks.items()},
        "controls": [
            name
            for name, one in session.benchmarks.items()
            if one.is_control and not one.is_threaded
        ],
    }
    slug = re.sub(r"[^0-9A-Za-z]+", "-", session.processor).strip("-").lower()
    target = Path(directory, f"{sha[:12]}-{slug}.json")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as written:
            written.write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from None
    return target


def _commit(revision: str) -> tuple[str, str]:
    # of a tag with a message, git show would print the message too
    wanted = f"{revision}^{{commit}}"
    command = ["git", "log", "-1", "--format=%H %cI", "--end-of-options", wanted]
    environment = os.environ | {"LC_ALL": "C"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError("a history needs git, which is not installed") from None
    if "not a git repository" in done.stderr:
        raise UsageError(
            f"--add needs the git checkout that was measured, and {Path.cwd()} lies in none"
        )
    if done.returncode:
        raise UsageError(f"no commit {revision!r} here: {done.stderr.strip().splitlines()[-1]}")
    sha, date = done.stdout.split()
    return sha, date


def read_history(directory: str | Path) -> list[Session]:
    """Return the sessions of a history in the order of their commits' dates.

    Raises
    ------
    DataError
        When there is no such directory, it holds no session, or a file of it is damaged.
    """
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise DataError(f"a history is a directory; {directory} is a file")
    if not directory.is_dir():
        raise DataError(
            f"there is no directory {directory}; initperf history {directory} --add FILE makes it"
        )
    found = [_read(path) for path in sorted(directory.glob("*.json"))]
    if not found:
        raise DataError(f"{directory} holds no sessions; initperf history {directory} --add FILE")
    return sorted(found, key=lambda session: session.date)


def _read(path: Path) -> Session:
    try:
        content = json.loads(read_text(path))
        if content["initperf_history"] != SCHEMA:
            raise DataError(
                f"{path} has the schema {content['initperf_history']!r}, this initperf reads "
                f"{SCHEMA}"
            )
        times = {str(name): float(time) for name, time in content["times_s"].items()}
        if not _COMMIT.fullmatch(content["commit"]):
            raise ValueError(f"{content['commit']!r} is no commit")
        return Session(
            content["commit"],
            datetime.datetime.fromisoformat(content["date"]),
            str(content["processor"]),
            {name: time for name, time in times.items() if 0.0 < time < math.inf},
            tuple(map(str, content["controls"])),
        )
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} is no session of a history: {type(error).__name__}: {error}"
        ) from None


def series(sessions: Sequence[Session]) -> "pd.DataFrame":
    """Return the time of every benchmark in every session, corrected for the machine's drift.

    Parameters
    ----------
    sessions : sequence of Session
        In the order of their commits.

    Returns
    -------
    pandas.DataFrame
        A row for each benchmark and session: ``benchmark``, ``processor``, ``commit``, ``date``,
        ``place`` (of the session among those of the processor), ``time_s``, and the ``level_s``
        of its segment: the geometric mean between two changes.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for processor in dict.fromkeys(session.processor for session in sessions):
        own = [session for session in sessions if session.processor == processor]
        drifts = _drifts(own)
        for name in dict.fromkeys(name for session in own for name in session.times_s):
            if any(name in session.controls for session in own):
                continue
            places = [place for place, session in enumerate(own) if name in session.times_s]
            logs = np.array([math.log(own[p].times_s[name]) - drifts[p] for p in places])
            ends = [0, *change_points(logs), len(logs)]
            for begin, end in pairwise(ends):
                level = float(np.exp(logs[begin:end].mean()))
                rows += [
                    {
                        "benchmark": name,
                        "processor": processor,
                        "commit": own[places[i]].commit,
                        "date": own[places[i]].date.isoformat(),
                        "place": places[i],
                        "time_s": float(np.exp(logs[i])),
                        "level_s": level,
                    }
                    for i in range(begin, end)
                ]
    return pd.DataFrame(rows)


def _drifts(sessions: Sequence[Session]) -> list[float]:
    """Return the logarithm of each session's slowness: the median over its controls."""
    names = {name for session in sessions for name in session.controls}
    usual = {
        name: float(np.median([math.log(s.times_s[name]) for s in sessions if name in s.times_s]))
        for name in names
        if any(name in session.times_s for session in sessions)
    }
    found = []
    for session in sessions:
        changes = [
            math.log(session.times_s[name]) - usual[name]
            for name in session.controls
            if name in session.times_s
        ]
        found.append(float(np.median(changes)) if changes else 0.0)
    return found


def changes(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the changes of level of `series`, the latest first.

    Parameters
    ----------
    table : pandas.DataFrame
        As `series` returns it.

    Returns
    -------
    list of dict
        ``benchmark``, ``processor``, ``commit`` (the first of the new level), ``date``,
        ``before_s``, ``after_s`` and ``time_ratio``, above 1 is slower.
    """
    found = []
    for (name, processor), own in table.groupby(["benchmark", "processor"], sort=False):
        levels = own["level_s"].to_numpy()
        for place in np.flatnonzero(np.diff(levels)) + 1:
            row = own.iloc[place]
            found.append(
                {
                    "benchmark": name,
                    "processor": processor,
                    "commit": row["commit"],
                    "date": row["date"],
                    "before_s": levels[place - 1],
                    "after_s": levels[place],
                    "time_ratio": levels[place] / levels[place - 1],
                }
            )
    return sorted(found, key=lambda row: row["date"], reverse=True)
