"""Tasks that several processes share: each takes the next that none has taken."""

import hashlib
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from initperf._core.child_python import python_command, python_environment
from initperf._core.leaving import held


def claimed(claims: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield, one after another, the names that no other process has taken.

    Parameters
    ----------
    claims : pathlib.Path
        A directory that the processes share, empty at first: a file in it is a name that is taken.
    names : iterable of str
        The tasks' names.
    """
    for name in names:
        try:
            (claims / hashlib.sha256(name.encode()).hexdigest()[:16]).touch(exist_ok=False)
        except FileExistsError:
            continue
        yield name


@contextmanager
def claims_directory() -> Iterator[Path]:
    """Give an empty directory for `claimed`, which is removed with the block."""
    directory = partial(TemporaryDirectory, prefix="initperf-compile-")
    with held(directory, TemporaryDirectory.cleanup) as made:
        yield Path(made.name)


@contextmanager
def waiting_helpers(module: str, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start processes that run a module of this package on words that they are told later.

    They import meanwhile what they need; those that are told nothing end with the block.

    Parameters
    ----------
    module : str
        What ``python -m`` runs; without arguments it calls `words_told`.
    count : int
        Number of processes.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_helper(module, (), subprocess.PIPE)) for _ in range(count)]


def tell(process: "subprocess.Popen[bytes]", words: Iterable[str]) -> None:
    """Tell a process of `waiting_helpers` its arguments.

    Parameters
    ----------
    process : subprocess.Popen
    words : iterable of str
        Without line breaks.
    """
    if process.stdin is not None:
        with suppress(BrokenPipeError):  # it has ended, and so takes no task
            process.stdin.write("\n".join(words).encode())
            process.stdin.close()


def words_told() -> list[str]:
    """Return the arguments of this process, or without any those that `tell` tells it."""
    return sys.argv[1:] or sys.stdin.read().splitlines()


@contextmanager
def helpers(
    module: str, words: Sequence[str], count: int
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Start processes that run a module of this package, silently, and end them with the block.

    Parameters
    ----------
    module : str
        What ``python -m`` runs.
    words : sequence of str
        Its arguments.
    count : int
        Number of processes.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_helper(module, words)) for _ in range(count)]


@contextmanager
def _helper(
    module: str, words: Sequence[str], stdin: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    command, quiet = python_command("-m", module, *words), subprocess.DEVNULL

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command, env=python_environment(), stdin=stdin, stdout=quiet, stderr=quiet
        )

    with held(start, _end) as process:
        yield process


def _end(process: "subprocess.Popen[bytes]") -> None:
    with process:
        process.kill()
