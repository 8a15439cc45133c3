"""Parser of the command line: errors are one line on stderr and an exit code."""

import argparse
import importlib
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NoReturn

from initperf import __version__
from initperf._core.leaving import HURRIED
from initperf._core.nearest import nearest, suggestion
from initperf._core.registry import UnknownNameError
from initperf._core.text import one_line
from initperf.cli._collecting import collecting_rarely
from initperf.cli._interrupts import interrupts_kept, let_go
from initperf.cli._messages import messages
from initperf.cli._pairs import without_effect
from initperf.cli._streams import outlets
from initperf.errors import DataError, PluginError, UsageError
from initperf.training.axes import INSTEAD

_USAGE, _DATA, _UNFORESEEN, _INTERRUPTED = 2, 3, 70, 130
_LONGEST = 2000
_TRACEBACK = "--traceback"
_NAME = re.compile(r"[^\W\d][\w.]*")
_OPTION = re.compile(r"--?([^\W\d][^=]*)")
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "pytest_benchmark": "pytest-benchmark",
    "sklearn": "scikit-learn",
}
"""Distributions by module, where their names differ."""


class _Parser(argparse.ArgumentParser):
    """Parser whose errors are one line, and name the verb's help for its unknown options."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse words, all of which must be known.

        Parameters
        ----------
        args : sequence of str, optional
            Words after the program's name and the verb.
        namespace : argparse.Namespace, optional
            Takes the values.

        Raises
        ------
        UsageError
            When a word is unknown, cannot be a value, or has no effect beside others.
        """
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            meant = _meant(unknown, self._option_string_actions) or _named(unknown, self._actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")
        words = sys.argv[1:] if args is None else args
        if message := without_effect(self, words, found):
            self.error(message)
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Raise the message as an error of usage.

        Raises
        ------
        UsageError
            Always.
        """
        raise UsageError(f"{message}; {self.prog} --help says more")


def _meant(unknown: Iterable[str], known: Iterable[str]) -> str:
    """Return the end of a message about unknown words: the option that the first of them means.

    It is empty where no option is similar.

    Parameters
    ----------
    unknown : iterable of str
        Words, of which options begin with a hyphen.
    known : iterable of str
        Options that there are.
    """
    options = [one.removeprefix("--") for one in known if one.startswith("--")]
    typed = next((found[1] for word in unknown if (found := _OPTION.match(word))), "")
    if not typed:
        return ""
    axes = [one.replace("_", "-") for one in INSTEAD.get(typed, ())]
    if axes and set(axes) <= set(options):
        return f"; here {' and '.join(f'--{one}' for one in axes)} take its place"
    near = nearest(typed, options)
    return "" if near is None else f"; did you mean '--{near}'?"


def _named(unknown: Iterable[str], actions: Iterable[argparse.Action]) -> str:
    """Return the end of a message about unknown words: the option that takes the name in them.

    It is empty where none of them is the name of a rule, an activation, or the like.

    Parameters
    ----------
    unknown : iterable of str
    actions : iterable of argparse.Action
        Of which options declare the names that they take, see `initperf.cli._arguments.named`.
    """
    takes = [(one, place) for one in actions for place in getattr(one, "registries", ())]
    for word in filter(_NAME.fullmatch, unknown):
        for action, place in takes:
            if action.option_strings and word in pkgutil.resolve_name(place):
                return f"; did you mean '{action.option_strings[0]} {word}'?"
    return ""


class _Formatter(argparse.HelpFormatter):
    """Formatter that adds the choices and the default of an option to its help.

    They are left out where the help names them itself.
    """

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        details = []
        if action.choices and not isinstance(action, argparse._SubParsersAction):
            words = [str(choice) for choice in action.choices]
            if not all(word in text for word in words):
                details.append(", ".join(words))
        default = action.default
        shown = not (default is None or default is False or default in ("", [], argparse.SUPPRESS))
        if shown and "default" not in text:
            details.append("default: %(default)s")
        return f"{text} ({'; '.join(details)})" if details else text


def verbs(only: str | None = None) -> dict[str, ModuleType]:
    """Return the verbs, each a module with HELP, ``configure(parser)`` and ``run(arguments)``.

    They are the modules of this package without a leading underscore, and those that other
    distributions name as entry points of the group ``initperf.verbs``.

    Parameters
    ----------
    only : str, optional
        A verb of this package, which is then the only one that is imported. Another word has no
        effect.

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
    if only in own:
        return {only: importlib.import_module(f"initperf.cli.{only}")}
    found = {name: importlib.import_module(f"initperf.cli.{name}") for name in own}
    from importlib.metadata import entry_points

    for entry in entry_points(group="initperf.verbs"):
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
        optimizers; every verb by default. Of this package, it is the only one that is imported.
    """
    parser = _Parser(
        prog="initperf",
        description="Weight initializers: what they cost to draw and what they do to training.",
        allow_abbrev=False,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"initperf {__version__}")
    _add_traceback(parser)
    choices = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    for name, module in verbs(only).items():
        verb = choices.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            allow_abbrev=False,
            formatter_class=_Formatter,
        )
        if only in (None, name):
            module.configure(verb)
            _add_traceback(verb)
        verb.set_defaults(run=module.run, parser=parser)
    return parser


def _add_traceback(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        _TRACEBACK,
        action="store_true",
        default=argparse.SUPPRESS,
        help="print the traceback of an error before its line",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.

    Returns
    -------
    int
        The exit code, see `initperf.cli.main`.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with outlets() as replaced, _no_backend():
        code = _guarded(words, ends=arguments is None)
        sys.stdout.flush()
        for outlet in replaced:
            if outlet.error is not None:
                reason = outlet.error.strerror or outlet.error
                code = _fail(code or _USAGE, f"standard output cannot be written: {reason}")
    return code


@contextmanager
def _no_backend() -> Iterator[None]:
    """Hide the variable that chooses a backend of matplotlib's pyplot, which is not used here.

    Matplotlib cannot be imported where the variable names one that is not installed.
    """
    chosen = os.environ.pop("MPLBACKEND", None)
    try:
        yield
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen


def _guarded(words: list[str], ends: bool) -> int:
    """Run a command line, and turn each error into one line and an exit code.

    Parameters
    ----------
    words : list of str
    ends : bool
        Whether the process ends with it, which after Ctrl-C then waits for no thread.
    """
    try:
        with interrupts_kept():
            return _run(words)
    except SystemExit as end:  # argparse, after --help and --version
        return int(end.code or 0)
    except KeyboardInterrupt as interruption:
        if ends:
            HURRIED.set()
        let_go(interruption)
        return _fail(_INTERRUPTED, "interrupted")
    except Exception as error:
        if _TRACEBACK in words:
            traceback.print_exc()
        return _fail(*_judged(error))


def _run(words: list[str]) -> int:
    # `--traceback` may stand before the verb, which alone is imported
    first, *others = [word for word in words if word != _TRACEBACK] or [""]
    known = verbs(first)
    if first == "help" and first not in known:
        if len(others) > 1:
            raise UsageError(f"help takes one verb, not {' '.join(others)!r}")
        return _run([*others, "--help"])
    if first and not first.startswith("-") and first not in known:
        hint = suggestion(first, [*known, "help"], known)
        raise UsageError(f"unknown verb {first!r}; {hint}")
    for word in words:
        if word.startswith("--") and word.endswith("=--"):  # argparse reads it as no value
            raise UsageError(f"{word[:-3]} must have a value, not '--'")
    parser = parser_of_verbs(first)
    if first.startswith("-"):  # before a verb, whose options have not been added
        parser.parse_args([first])
    chosen = parser.parse_args(words)
    if chosen.verb is None:
        parser.print_help()
        return 0
    _check_environment()
    with messages(), collecting_rarely():
        return int(chosen.run(chosen) or 0)


def _judged(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message of an error."""
    if isinstance(error, (UsageError, UnknownNameError)):
        return _USAGE, str(error)
    if isinstance(error, DataError):
        return _DATA, str(error)
    if isinstance(error, ModuleNotFoundError):
        missing = (error.name or "").partition(".")[0]
        if missing and missing != "initperf":
            return _USAGE, f"this needs {missing}; {_remedy(missing)}"
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return _USAGE, f"{place}{error.strerror}"
    if isinstance(error, MemoryError):
        return _USAGE, f"out of memory: {error}" if str(error) else "out of memory"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return (
        _UNFORESEEN,
        f"an unforeseen error, a fault of initperf's: {reason} ({where}); "
        f"{_TRACEBACK} shows all of it",
    )


def _remedy(module: str) -> str:
    """Return how to install what a missing module belongs to."""
    from importlib.metadata import PackageNotFoundError, requires

    distribution = _DISTRIBUTIONS.get(module, module)
    try:
        declared = requires("initperf") or []
    except PackageNotFoundError:
        declared = []
    of_suite = [one for one in declared if re.search(r"""extra == ['"]suite['"]""", one)]
    if any(re.match(rf"{re.escape(distribution)}(?![\w-])", one) for one in of_suite):
        return "pip install 'initperf[suite]' brings it"
    return f"pip install {distribution} brings it"


def _check_environment() -> None:
    """Check the working directory and the variables that every verb depends on.

    Raises
    ------
    UsageError
        Naming the variable, its value and what is allowed.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(f"the working directory cannot be used: {error.strerror}") from None
    from initperf._core.parallel import as_threads
    from initperf._core.storage import chosen_cache

    for variable in ("INITPERF_NUM_THREADS", "NUMBA_NUM_THREADS"):
        chosen = os.environ.get(variable)
        try:
            _ = chosen and as_threads(variable, chosen)
        except ValueError as error:
            raise UsageError(str(error)) from None
    try:
        chosen_cache()
    except ValueError as error:
        raise UsageError(str(error)) from None
    for variable in ("INITPERF_DATA", "SCIKIT_LEARN_DATA"):
        value = os.environ.get(variable, "")
        if os.path.expanduser(value).startswith("~"):
            raise UsageError(f"{variable} is {value!r}, and there is no such user's home")


def _fail(code: int, message: str) -> int:
    text = one_line(message)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    print(f"initperf: {text}", file=sys.stderr)
    return code
