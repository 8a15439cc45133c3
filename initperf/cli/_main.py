"""Parser of the command line: errors are one line on stderr and an exit code."""

import argparse
import importlib
import importlib.metadata
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from initperf import __version__
from initperf._core.nearest import suggestion
from initperf._core.registry import UnknownNameError
from initperf.cli._interrupts import interrupts_kept, let_go
from initperf.errors import DataError, PluginError, UsageError

_USAGE, _DATA, _INTERRUPTED = 2, 3, 130


class _Parser(argparse.ArgumentParser):
    """Parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_USAGE, f"{self.prog}: {message}; {self.prog} --help says more\n")


def verbs() -> dict[str, ModuleType]:
    """Return the verbs, each a module with HELP, ``configure(parser)`` and ``run(arguments)``.

    They are the modules of this package without a leading underscore, and those that other
    distributions name as entry points of the group ``initperf.verbs``.

    Raises
    ------
    PluginError
        When a module of another distribution cannot be imported.
    """
    package = importlib.import_module("initperf.cli")
    own = sorted(
        module.name
        for module in pkgutil.iter_modules(package.__path__)
        if not module.name.startswith("_")
    )
    found = {name: importlib.import_module(f"initperf.cli.{name}") for name in own}
    for entry in importlib.metadata.entry_points(group="initperf.verbs"):
        try:
            found.setdefault(entry.name, entry.load())
        except Exception as error:
            raise PluginError(
                f"the verb plug-in {entry.name!r} ({entry.value}) cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
    return found


def parser_of_verbs(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Parameters
    ----------
    only : str, optional
        The one verb that gets its options, which for training verbs means importing all
        optimizers; every verb by default.
    """
    parser = _Parser(
        prog="initperf",
        description="Weight initializers: what they cost to draw and what they do to training.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"initperf {__version__}")
    choices = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, module in verbs().items():
        verb = choices.add_parser(
            name, help=module.HELP, description=module.HELP, allow_abbrev=False
        )
        if only in (None, name):
            module.configure(verb)
        verb.set_defaults(run=module.run, parser=parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.

    Returns
    -------
    int
        0 ok; 1 a comparison regressed; 2 usage; 3 bad data; 4 too noisy to judge;
        130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        known = verbs()
        parser = parser_of_verbs(words[0] if words else "")
    except PluginError as error:
        return _fail(_USAGE, str(error))
    if words and not words[0].startswith("-") and words[0] not in known:
        hint = suggestion(words[0], known, known)
        parser.exit(_USAGE, f"initperf: unknown verb {words[0]!r}; {hint}\n")
    chosen = parser.parse_args(words)
    if chosen.verb is None:
        parser.print_help()
        return 0
    try:
        with interrupts_kept():
            code = int(chosen.run(chosen) or 0)
            sys.stdout.flush()  # raises BrokenPipeError here rather than at exit
            return code
    except (UsageError, UnknownNameError) as error:
        return _fail(_USAGE, str(error))
    except DataError as error:
        return _fail(_DATA, str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "initperf":
            raise
        return _fail(_USAGE, f"this needs {error.name}; pip install 'initperf[suite]' brings it")
    except KeyboardInterrupt as interruption:
        let_go(interruption)
        return _fail(_INTERRUPTED, "interrupted")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _fail(code: int, message: str) -> int:
    print(f"initperf: {' '.join(message.split())}", file=sys.stderr)
    return code
