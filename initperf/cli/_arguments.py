"""Options shared by several verbs; those of training come from the schema of experiments."""

import argparse
import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from initperf.cli._output import usage
from initperf.errors import UsageError

if TYPE_CHECKING:
    from initperf._core.schema import Setting
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
        try:
            given[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            given[name] = value
    return given


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--data-dir``."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="directory of IDX files, plain or .gz, torchvision's layout included; "
        "the environment variable INITPERF_DATA does the same",
    )


def add_training(parser: argparse.ArgumentParser, many: bool) -> None:
    """Add an option for each setting of an experiment, and those of a run's data and directory.

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
    """Add an option for each setting of an experiment.

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

    for name, declared in settings().items():
        if name not in without:
            _add_setting(parser, declared, many, plural=name in plurals)


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
        type=int,
        nargs="?",
        const=1,
        default=0,
        metavar="N",
        help=settings_of(Network)["residual"].help,
    )


def given_settings(arguments: argparse.Namespace) -> dict[str, list[Any]]:
    """Return the settings of experiments that options give: by flat name, all values of each.

    Raises
    ------
    UsageError
        For a value that a setting cannot have.
    """
    from initperf.training.experiment import settings

    given: dict[str, list[Any]] = {}
    with usage():
        for name, declared in settings().items():
            text = getattr(arguments, name, None)
            if text is not None:
                parts = str(text).split(",") if _listable(declared) else [text]
                given[name] = [declared.parse(part) for part in parts]
    return given


def check_used(given: Iterable[str], made: Iterable[Any]) -> None:
    """Refuse settings of an optimizer or a schedule that no experiment has.

    Parameters
    ----------
    given : iterable of str
        Flat names of the settings.
    made : iterable of Experiment

    Raises
    ------
    UsageError
        Naming the option.
    """
    from initperf.training.experiment import settings

    flats = [one.flat() for one in made]
    for name in given:
        if not any(name in flat for flat in flats):
            of, _, _ = settings()[name].help.partition(":")
            raise UsageError(f"{_flag(name)} is a setting {of}, which is not chosen")


def experiments(arguments: argparse.Namespace) -> list[Any]:
    """Make the experiments that the options describe, equal ones once.

    Raises
    ------
    UsageError
        For a value that a setting cannot have, and for a setting of an optimizer or a schedule
        that is not chosen.
    """
    from initperf.training.experiment import grid

    given = given_settings(arguments)
    with usage():
        made = list(dict.fromkeys(grid(**given)))
    check_used(given, made)
    return made


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
