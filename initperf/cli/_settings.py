"""Options of the settings of experiments, from their schema, and the grids that they describe."""

import argparse
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from initperf._core.text import one_line
from initperf.cli._arguments import add_data, named, quoted
from initperf.cli._output import usage
from initperf.cli._parameters import add_parameters, listed_parameters, literal, split
from initperf.errors import UsageError

if TYPE_CHECKING:
    from initperf._core.schema import Setting
    from initperf.training.experiment import Experiment

_MOST_EXPERIMENTS = 100_000
_FILES = (".npz", ".csv")
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


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
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> list[str]:
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
    defaults : mapping of str to object
        What the help gives as defaults that are not those of an experiment: a value, a tuple of
        several, or None where it gives none.

    Returns
    -------
    list of str
        The options.
    """
    from initperf.training.axes import AXES
    from initperf.training.experiment import settings

    for name, declared in settings().items():
        if name not in without:
            default = defaults.get(name, declared.default)
            _add_setting(parser, declared, many, default, plural=name in plurals)
    for name, words in AXES.items():
        letter = "N" if name in ("depth", "width") else "X"
        if name == "depth" and "hidden" not in without:
            words += "; in place of --hidden"
        parser.add_argument(_flag(name), metavar=letter, help=words)
    add_parameters(parser)
    parser.add_argument(
        "--target",
        dest="target_column",
        metavar="COLUMN",
        help="column of the targets where --dataset is a table, FILE.csv (default: the last)",
    )
    named_settings = [name for name in settings() if name not in without]
    return [*map(_flag, (*named_settings, *AXES)), "--set", "--target"]


def _add_setting(
    parser: "argparse.ArgumentParser | argparse._ArgumentGroup",
    declared: "Setting",
    many: bool,
    default: Any,
    plural: bool = False,
) -> None:
    letter = {int: "N", float: "X", str: "NAME"}[declared.kind]
    metavar = letter if declared.length == 1 else declared.separator.join(2 * letter)
    words = declared.allowed if isinstance(declared.allowed, tuple) else ()
    details = [", ".join(words)] if words else []
    if default not in (None, ()):
        details.append(f"default: {declared.text(default)}")
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
    from initperf.training.axes import AXES
    from initperf.training.experiment import settings

    given: dict[str, Any] = {}
    with usage():
        for name, declared in settings().items():
            text = getattr(arguments, name, None)
            if text is not None:
                given[name] = list(_values(declared, str(text), many))
        for name in AXES:
            text = getattr(arguments, name)
            if text is not None:
                given[name] = [literal(part) for part in text.split(",")]
    if arguments.target_column:
        if not any(".csv" in one for one in given.get("dataset", [])):
            raise UsageError(
                "--target is the column of a table: --dataset must be a file, FILE.csv"
            )
        given["dataset"] = [f"{one}#{arguments.target_column}" for one in given["dataset"]]
    parameters = listed_parameters(arguments)
    several = {**given, **parameters}
    for name in several:
        if not many and len(several[name]) > 1:
            raise UsageError(f"{name} takes one value here; initperf sweep takes several")
    count = math.prod(map(len, several.values()))
    if count > _MOST_EXPERIMENTS:
        raise UsageError(f"a grid has at most {_MOST_EXPERIMENTS:,} experiments, not {count:,}")
    return given | ({"parameters": parameters} if parameters else {})


def single_values(given: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return the one value of each axis.

    Raises
    ------
    UsageError
        For an axis with several.
    """
    for name, values in given.items():
        if len(values) > 1:
            raise UsageError(f"{_flag(name)} takes one value here")
    return {name: values[0] for name, values in given.items()}


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
    check_used(arguments, given, made)
    return made


def check_used(
    arguments: argparse.Namespace, given: "Iterable[str]", made: "Sequence[Experiment]"
) -> None:
    """Check that each setting that was given has an effect on some experiment.

    Parameters
    ----------
    arguments : argparse.Namespace
        The options that `add_settings` has added, and ``--data-dir``.
    given : iterable of str
        Names of axes, of options and of a grid's file.
    made : sequence of Experiment
        What was made of them.

    Raises
    ------
    UsageError
        For a setting of an optimizer or a schedule that is not chosen, and for others without
        effect; a key of a file is named as it is written there.
    """
    from initperf.schemes import Scheme
    from initperf.training.experiment import settings

    known = settings()
    spelled = {
        name: name if getattr(arguments, name, None) is None else _flag(name)
        for name in given
        if name in known
    }
    if "clip" in spelled and all(one.clipping.clip_norm is None for one in made):
        other = _flag("clip_norm") if spelled["clip"] == _flag("clip") else "clip_norm"
        raise UsageError(f"{spelled['clip']} goes with {other}")
    if "biases" in spelled and all(isinstance(one.rule, Scheme) for one in made):
        rule = made[0].initializer
        raise UsageError(f"{spelled['biases']} has no effect: {rule} sets biases of its own")
    for name, word in spelled.items():
        if not any(name in one.flat() for one in made):
            of, _, _ = known[name].help.partition(":")
            raise UsageError(f"{word} is a setting {of}, which is not chosen")
    files = [one.dataset for one in made if _is_file(one.dataset)]
    if arguments.data_dir is not None and len(files) == len(made):
        raise UsageError(
            f"--data-dir is where data sets are found by name, and {quoted(files[0])} is a file"
        )


def _is_file(dataset: str) -> bool:
    """Return whether a data set is a file, of which ``#`` and a column's name may follow."""
    return dataset.partition("#")[0].lower().endswith(_FILES)


def _values(declared: "Setting", text: str, many: bool) -> Iterator[Any]:
    """Read the values that an option gives for a setting.

    Raises
    ------
    UsageError
        For several where one is wanted, and for widths that are separated by commas.
    """
    from initperf.training.grids import parse

    parts = split(text) if _listable(declared) else [text]
    flag = _flag(declared.name)
    if len(parts) > 1 and not many:
        raise UsageError(
            f"{flag} takes one value here, {declared.form}, not {quoted(text)}; "
            "initperf sweep takes several, separated by commas"
        )
    if declared.length != 1 and len(set(parts)) < len(parts):
        raise UsageError(
            f"{flag} gives {quoted(text)}, networks of one hidden layer each, some twice: "
            f"{flag} takes {declared.form}"
        )
    for part in parts:
        span = _RANGE.fullmatch(part) if many and declared.kind is int else None
        if declared.length == 1 and span:
            first, last = map(int, span.groups())
            if not 0 <= last - first < _MOST_EXPERIMENTS:
                raise UsageError(
                    f"{flag} must be a range as 0-4, which rises and has fewer than "
                    f"{_MOST_EXPERIMENTS:,} steps, not {quoted(part)}"
                )
            yield from map(declared.check, range(first, last + 1))
        else:
            yield parse(declared.name, part)
