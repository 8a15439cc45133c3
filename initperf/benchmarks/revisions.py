"""Sessions of a git revision and of the working tree, which take turns in one job.

A file of yesterday's session compares two days of a machine as much as two revisions. Here each
pass is a process of ``pytest --benchmark``, of the revision and of the working tree alternately,
so that a slow minute falls on both.
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from initperf._core.progress import Progress, silent
from initperf.benchmarks.passes import PASSES
from initperf.benchmarks.results_file import BenchmarkFile, read_benchmarks
from initperf.errors import UsageError

_HARNESS = ("bench", "initperf/benchmarks")
_LAST_LINES = 5


@dataclass(frozen=True)
class Turns:
    """Sessions that took turns.

    Attributes
    ----------
    base, tree : BenchmarkFile
        Of the revision, and of the working tree: each process is a pass.
    commit : str
        Full hash of the revision.
    warnings : tuple of str
        Reasons why the comparison may mean little.
    """

    base: BenchmarkFile
    tree: BenchmarkFile
    commit: str
    warnings: tuple[str, ...]


def measure_in_turns(
    revision: str,
    words: Sequence[str] = (),
    *,
    passes: int = PASSES,
    progress: Progress = silent,
) -> Turns:
    """Measure a git revision and the working tree in turns.

    Parameters
    ----------
    revision : str
        A commit, branch or tag of the repository around the working directory.
    words : sequence of str
        Arguments of pytest that choose benchmarks, such as ``("-k", "fill_normal")``.
    passes : int
        Processes of each.
    progress : callable
        Called with processes done, processes in all, and the label of the next.

    Returns
    -------
    Turns

    Raises
    ------
    UsageError
        When there is no git, no repository or no such revision here, or a session fails.
    """
    try:
        root = Path(_git("rev-parse", "--show-toplevel").decode().strip())
    except _GitError as error:
        if "not a git repository" not in str(error):
            raise
        raise UsageError(
            f"--base needs a git checkout with benchmarks, and {Path.cwd()} lies in none"
        ) from None
    wanted = f"{revision}^{{commit}}"
    try:
        commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    except _GitError:
        raise UsageError(f"--base: {root} has no revision {revision!r}") from None
    sha = commit.decode().strip()
    with tempfile.TemporaryDirectory(prefix="initperf-base-") as directory:
        base = Path(directory, "base")
        with tarfile.open(fileobj=io.BytesIO(_git("archive", sha, cwd=root))) as archive:
            archive.extractall(base, filter="data")
        files: dict[str, list[Path]] = {"base": [], "tree": []}
        for turn in range(2 * passes):
            name, place = (("base", base), ("tree", root))[turn % 2]
            progress(turn, 2 * passes, name)
            file = Path(directory, f"{name}-{turn}.json")
            _session(place, words, file, revision if name == "base" else "the working tree")
            files[name].append(file)
        progress(2 * passes, 2 * passes, "")
        sessions = {name: read_benchmarks(*found) for name, found in files.items()}
    return Turns(sessions["base"], sessions["tree"], sha, _warnings(root, sha))


class _GitError(UsageError):
    """A command of git failed."""


def _git(*words: str, cwd: Path | None = None) -> bytes:
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd,
            env=os.environ | {"LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("--base needs git, which is not installed") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}"
        raise _GitError(f"git {' '.join(words)}: {reason}")
    return done.stdout


def _session(root: Path, words: Sequence[str], file: Path, name: str) -> None:
    """Run one pass in a process that imports the package of a checkout."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(root), str(root / "figures"), *filter(None, given)])
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--benchmark", "--benchmark-passes=1", "-q"),
            *("-p", "no:cacheprovider", f"--benchmark-json={file}", *words),
        ],
        cwd=root,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode or not file.exists():
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise UsageError(
            f"the benchmarks of {name} failed (exit {done.returncode}): "
            + " / ".join(said[-_LAST_LINES:])
        )


def _warnings(root: Path, sha: str) -> tuple[str, ...]:
    changed = _git("diff", "--name-only", sha, "--", *_HARNESS, cwd=root).decode().split()
    if not changed:
        return ()
    return (
        f"benchmarks or their timing differ from {sha[:10]} ({', '.join(changed[:3])}"
        + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        + "): a change may be of them",
    )
