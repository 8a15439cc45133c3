"""Options shared by several verbs; those of training come from the schema of experiments."""

import argparse
import ast
from typing import TYPE_CHECKING, Any

from initperf.cli._output import usage
from initperf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from initperf._core.schema import Setting
    from initperf.training.experiment import Experiment
    from initperf.training.run import Run

OF_ACTIVATIONS = "initperf.activations:ACTIVATIONS"
OF_DATASETS = "initperf.data:DATASETS"
OF_INITIALIZERS = "initperf.initializers:INITIALIZERS"
OF_SCHEMES = "initperf.schemes:SCHEMES"


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


def add_parameters(parser: argparse.ArgumentParser) -> None:
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
            raise UsageError(f"--set must be PARAMETER=VALUE, as gain=2, not {text!r}")
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
            raise UsageError(f"--set must be PARAMETER=VALUE, as gain=1,2, not {text!r}")
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
    """Add an option for each setting of an experiment.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    many : bool
        Whether the help says that an option takes several values, which make a grid.
    """
    from initperf.training.experiment import settings
    from initperf.training.grids import AXES

    for declared in settings().values():
        _add_setting(parser, declared, many)
    for name, words in AXES.items():
        letter = "N" if name in ("depth", "width") else "X"
        parser.add_argument(_flag(name), metavar=letter, help=words)
    add_parameters(parser)
    parser.add_argument(
        "--target",
        metavar="COLUMN",
        help="column of the classes where --dataset is a table, FILE.csv (default: the last)",
    )
    parser.add_argument("--out", metavar="DIR", help="keep each run in this directory, as Parquet")
    add_data(parser)


def _add_setting(parser: argparse.ArgumentParser, declared: "Setting", many: bool) -> None:
    letter = {int: "N", float: "X", str: "NAME"}[declared.kind]
    metavar = letter if declared.length == 1 else declared.separator.join(2 * letter)
    words = declared.allowed if isinstance(declared.allowed, tuple) else ()
    details = [", ".join(words)] if words else []
    if declared.default not in (None, ()):
        details.append(f"default: {declared.text(declared.default)}")
    if many and _listable(declared):
        details.append("several, separated by commas, make a grid")
    action = parser.add_argument(
        _flag(declared.name),
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
        type=int,
        nargs="?",
        const=1,
        default=0,
        metavar="N",
        help=settings_of(Network)["residual"].help,
    )


def axes(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the axes of the grid that the options describe, as `grids.grid` takes them.

    Raises
    ------
    UsageError
        For a value that a setting cannot have.
    """
    from initperf.training.experiment import settings
    from initperf.training.grids import AXES, parse

    given: dict[str, Any] = {}
    with usage():
        for name, declared in settings().items():
            text = getattr(arguments, name)
            if text is not None:
                parts = _split(str(text)) if _listable(declared) else [text]
                given[name] = [parse(name, part) for part in parts]
        for name in AXES:
            text = getattr(arguments, name)
            if text is not None:
                given[name] = [_literal(part) for part in text.split(",")]
    if arguments.target:
        if not any(".csv" in one for one in given.get("dataset", [])):
            raise UsageError(
                "--target is the column of a table: --dataset must be a file, FILE.csv"
            )
        given["dataset"] = [f"{one}#{arguments.target}" for one in given["dataset"]]
    parameters = _listed(arguments)
    return given | ({"parameters": parameters} if parameters else {})


def experiments(arguments: argparse.Namespace) -> list[Any]:
    """Make the experiments that the options describe, equal ones once.

    Raises
    ------
    UsageError
        For a value that a setting cannot have, and for a setting of an optimizer or a schedule
        that is not chosen.
    """
    from initperf.training.grids import grid

    given = axes(arguments)
    with usage():
        made = list(dict.fromkeys(grid(**given)))
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


def varied(made: "Sequence[Experiment]") -> dict["Experiment", dict[str, Any]]:
    """Return, of each experiment, the settings in which they differ, as cells of a table."""
    from initperf.training.experiment import settings

    cells = {
        one: {name: settings()[name].text(value) for name, value in one.flat().items()}
        for one in made
    }
    names = [
        name for name in settings() if len({repr(one.get(name)) for one in cells.values()}) > 1
    ]
    return {one: {name: row.get(name) for name in names} for one, row in cells.items()}
