"""The command line, one verb a file: HELP, ``configure(parser)`` and ``run(arguments)``."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initperf.cli._main import parser_of_verbs, verbs

__all__ = ["main", "parser_of_verbs", "verbs"]

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.

    Returns
    -------
    int
        0 ok; 1 a comparison regressed, or a model is not healthy; 2 usage, or a file that cannot be
        written; 3 data, or another file to read, missing or bad; 4 too noisy to judge; 70 an
        unforeseen error; 130 interrupted.
    """
    try:
        # imported here, so that Ctrl-C during the import is handled like any other
        from initperf.cli._main import main as run

        return run(arguments)
    except KeyboardInterrupt:
        print("initperf: interrupted", file=sys.stderr)
        return _INTERRUPTED


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from initperf.cli import _main

    return getattr(_main, name)
