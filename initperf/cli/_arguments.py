"""Options shared by several verbs; those of training come from the schema of experiments."""

import argparse
import ast
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from initperf._core.text import one_line
from initperf.cli._output import usage
from initperf.errors import UsageError

if TYPE_CHECKING:
    from initperf._core.schema import Setting
    from initperf.training.experiment import Experiment
    from initperf.training.run import Run

OF_ACTIVATIONS = "initperf.activations:ACTIVATIONS"
OF_DATASETS = "initperf.data:DATASETS"
OF_INITIALIZERS = "initperf.initializers:INITIALIZERS"
OF_SCHEMES = "initperf.schemes:SCHEMES"

_LONGEST = 60
_MOST_EXPERIMENTS = 100_000
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


def integer(least: int | None = None, *, most: int | None = None) -> Callable[[str], int]:
    """Return a type of arguments for argparse: integers, within bounds.

    Parameters
    ----------
    least, most : int, optional
        The smallest and the greatest that are taken.
    """
    words = {None: "an integer", 0: "a non-negative integer", 1: "a positive integer"}
    wanted = words.get(least, f"an integer of at least {least}")
    if most is not None:
        wanted = f"an integer of at least {least} and at most {most}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:  # of more than 4,300 digits, too
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {_quoted(text)}") from None
        if not (-math.inf if least is None else least) <= value <= (most or math.inf):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {_quoted(text)}")
        return value

    return read


def positive_number(text: str) -> float:
    """Read a finite number above 0, as a type of arguments for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {_quoted(text)}")
    return value


def _quoted(text: str) -> str:
    shown = one_line(text)
    return repr(shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def named(action: argparse.Action, *registries: str) -> None:
    """Declare the registries whose names an argument takes, for the completion of shells.

    Parameters
    ----------
    action : argparse.Action
    *registries : str
        Each as ``"module:NAME"``.
    """
    vars(action)["registries"] = registries


def add_dtype(parser: argparse.ArgumentParser, *rounded: str) -> None:
    """Add ``--dtype``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    *rounded : str
        Dtypes that are taken beside float32 and float64.
    """
    choices = ("float32", "float64", *rounded)
    parser.add_argument(
        "--dtype", default="float32", choices=choices, metavar="T", help="number type"
    )


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Add ``--backend``."""
    parser.add_argument(
        "--backend",
        default="numba",
        choices=("numba", "numpy"),
        metavar="B",
        help="implementation of the kernels",
    )


def add_parameters(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add ``--set``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter of the rule, such as gain=2 or mode=fan_out; may be given several times",
    )


def parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of ``--set``: Python literals, or else words.

    Raises
    ------
    UsageError
        For a text without ``=`` and for a parameter given twice.
    """
    given: dict[str, Any] = {}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set must be PARAMETER=VALUE, as gain=2, not {_quoted(text)}")
        if name in given:
            raise UsageError(f"--set gives {name} twice")
        given[name] = _literal(value)
    return given


def _literal(text: str) -> Any:
    """Return the value of a Python literal, or else the text itself, a word."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _listed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of ``--set`` where each may have several values, for a grid."""
    given: dict[str, Any] = {}
    for text in arguments.set:
        name, equals, values = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set must be PARAMETER=VALUE, as gain=1,2, not {_quoted(text)}")
        if name in given:
            raise UsageError(f"--set gives {name} twice")
        given[name] = [_literal(value) for value in _split(values)]
    return given


def _split(text: str) -> list[str]:
    """Split at the commas outside of parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--data-dir``."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="directory of IDX files, plain or .gz, torchvision's layout included; "
        "the environment variable INITPERF_DATA does the same",
    )


def add_training(parser: argparse.ArgumentParser, many: bool) -> None:
    """Add the options of the settings of an experiment, and those of a run's data and directory.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    many : bool
        Whether the help says that an option takes several values, which make a grid.
    """
    add_settings(parser, many)
    parser.add_argument("--out", metavar="DIR", help="keep each run in this directory, as Parquet")
    add_data(parser)


def add_settings(
    parser: "argparse.ArgumentParser | argparse._ArgumentGroup",
    many: bool,
    *,
    plurals: Iterable[str] = (),
    without: Iterable[str] = (),
) -> None:
    """Add an option for each setting of an experiment and each other axis of a grid, for `axes`.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Or a group of its options.
    many : bool
        Whether the help says that an option takes several values, which make a grid.
    plurals : iterable of str
        Settings whose option can also be written with an s at its end.
    without : iterable of str
        Settings that have no option here.
    """
    from initperf.training.experiment import settings
    from initperf.training.grids import AXES

    for name, declared in settings().items():
        if name not in without:
            _add_setting(parser, declared, many, plural=name in plurals)
    for name, words in AXES.items():
        letter = "N" if name in ("depth", "width") else "X"
        parser.add_argument(_flag(name), metavar=letter, help=words)
    add_parameters(parser)
    parser.add_argument(
        "--target",
        dest="target_column",
        metavar="COLUMN",
        help="column of the classes where --dataset is a table, FILE.csv (default: the last)",
    )


def _add_setting(
    parser: "argparse.ArgumentParser | argparse._ArgumentGroup",
    declared: "Setting",
    many: bool,
    plural: bool = False,
) -> None:
    letter = {int: "N", float: "X", str: "NAME"}[declared.kind]
    metavar = letter if declared.length == 1 else declared.separator.join(2 * letter)
    words = declared.allowed if isinstance(declared.allowed, tuple) else ()
    details = [", ".join(words)] if words else []
    if declared.default not in (None, ()):
        details.append(f"default: {declared.text(declared.default)}")
    if many and _listable(declared):
        details.append("several, separated by commas, make a grid")
    flag = _flag(declared.name)
    action = parser.add_argument(
        *((flag, f"{flag}s") if plural else (flag,)),
        metavar=metavar,
        help=f"{declared.help} ({'; '.join(details)})" if details else declared.help,
        nargs="?" if declared.switch else None,
        const="1" if declared.switch else None,
    )
    named(action, *declared.registries)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _listable(declared: "Setting") -> bool:
    return declared.length == 1 or declared.separator != ","


def add_residual(parser: argparse.ArgumentParser) -> None:
    """Add the option of residual blocks, for verbs that do not train."""
    from initperf._core.schema import settings_of
    from initperf.training.parts import Network

    parser.add_argument(
        "--residual",
        type=integer(0),
        nargs="?",
        const=1,
        default=0,
        metavar="N",
        help=settings_of(Network)["residual"].help,
    )


def axes(arguments: argparse.Namespace, *, many: bool = True) -> dict[str, Any]:
    """Return the axes of the grid that the options describe, as `grids.grid` takes them.

    Parameters
    ----------
    arguments : argparse.Namespace
        The options that `add_settings` has added.
    many : bool
        Whether an option may have several values, which make a grid: separated by commas, or a
        range of integers as ``0-4``.

    Raises
    ------
    UsageError
        For a value that a setting cannot have, and for too large a grid.
    """
    from initperf.training.experiment import settings
    from initperf.training.grids import AXES

    given: dict[str, Any] = {}
    with usage():
        for name, declared in settings().items():
            text = getattr(arguments, name, None)
            if text is not None:
                given[name] = list(_values(declared, str(text), many))
        for name in AXES:
            text = getattr(arguments, name)
            if text is not None:
                given[name] = [_literal(part) for part in text.split(",")]
    if arguments.target_column:
        if not any(".csv" in one for one in given.get("dataset", [])):
            raise UsageError(
                "--target is the column of a table: --dataset must be a file, FILE.csv"
            )
        given["dataset"] = [f"{one}#{arguments.target_column}" for one in given["dataset"]]
    parameters = _listed(arguments)
    several = {**given, **parameters}
    for name in several:
        if not many and len(several[name]) > 1:
            raise UsageError(f"{name} takes one value here; initperf sweep takes several")
    count = math.prod(map(len, several.values()))
    if count > _MOST_EXPERIMENTS:
        raise UsageError(f"a grid has at most {_MOST_EXPERIMENTS:,} experiments, not {count:,}")
    return given | ({"parameters": parameters} if parameters else {})


def experiments(arguments: argparse.Namespace, *, many: bool = True) -> list[Any]:
    """Make the experiments that the options describe, equal ones once.

    In a grid, rules that do not apply to a network are left out and named on stderr.

    Parameters
    ----------
    arguments : argparse.Namespace
        The options that `add_training` has added.
    many : bool
        Whether an option may have several values; see `axes`.

    Raises
    ------
    UsageError
        For a value that a setting cannot have, for a setting of an optimizer or a schedule that is
        not chosen, and where no rule applies.
    """
    from initperf.training.grids import suitable

    given = axes(arguments, many=many)
    with usage():
        made, left_out = suitable(**given)
    for reason in left_out:
        print(f"initperf: left out: {one_line(reason)}", file=sys.stderr)
    check_used(given, made)
    return made


def check_used(given: "Iterable[str]", made: "Sequence[Experiment]") -> None:
    """Check that each setting that was given is one of some experiment.

    Parameters
    ----------
    given : iterable of str
        Names of axes.
    made : sequence of Experiment
        What was made of them.

    Raises
    ------
    UsageError
        For a setting of an optimizer or a schedule that is not chosen.
    """
    from initperf.training.experiment import settings

    known = settings()
    for name in given:
        if name in known and not any(name in one.flat() for one in made):
            of, _, _ = known[name].help.partition(":")
            raise UsageError(f"{_flag(name)} is a setting {of}, which is not chosen")


def _values(declared: "Setting", text: str, many: bool) -> Iterator[Any]:
    """Read the values that an option gives for a setting.

    Raises
    ------
    UsageError
        For several where one is wanted, and for widths that are separated by commas.
    """
    from initperf.training.grids import parse

    parts = _split(text) if _listable(declared) else [text]
    flag = _flag(declared.name)
    if len(parts) > 1 and not many:
        raise UsageError(
            f"{flag} takes one value here, {declared.form}, not {_quoted(text)}; "
            "initperf sweep takes several, separated by commas"
        )
    if declared.length != 1 and len(set(parts)) < len(parts):
        raise UsageError(
            f"{flag} gives {_quoted(text)}, networks of one hidden layer each, some twice: "
            f"{flag} takes {declared.form}"
        )
    for part in parts:
        span = _RANGE.fullmatch(part) if many and declared.kind is int else None
        if declared.length == 1 and span:
            first, last = map(int, span.groups())
            if not 0 <= last - first < _MOST_EXPERIMENTS:
                raise UsageError(f"{flag} must be a range as 0-4, not {_quoted(part)}")
            yield from map(declared.check, range(first, last + 1))
        else:
            yield parse(declared.name, part)


def outcomes(runs: "Sequence[Run]") -> list[dict[str, Any]]:
    """Return the rows of runs, each with the settings in which the runs differ.

    Parameters
    ----------
    runs : sequence of Run
    """
    from initperf.training.experiment import settings

    known = settings()
    flat = [run.experiment.flat() for run in runs]
    names = dict.fromkeys(name for one in flat for name in one)
    varied = [name for name in names if len({one.get(name) for one in flat}) > 1]
    rows = []
    for run, one in zip(runs, flat, strict=True):
        row = outcome(run)
        found = {
            name: known[name].text(one[name]) if name in one else None
            for name in varied
            if name not in row
        }
        at = list(row).index("data")
        items = list(row.items())
        rows.append(dict([*items[:at], *found.items(), *items[at:]]))
    return rows


def outcome(run: "Run") -> dict[str, Any]:
    """Return the row of a run: its experiment, and how it ended."""
    experiment = run.experiment
    return {
        "run": run.name,
        "initializer": experiment.initializer,
        "activation": experiment.activation,
        "seed": experiment.seed,
        "data": f"{run.dataset['dataset']} ({run.dataset['dataset_size']:,})",
        "status": run.status,
        "diverged_step": run.diverged_step,
        "test_accuracy": run.test_accuracy,
        "train_s": run.train_seconds,
        "compile_s": run.compile_seconds,
    }
