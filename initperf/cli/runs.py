"""``initperf runs``: runs that a directory keeps, listed, filtered, exported, merged, removed."""

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf._core.text import hyphenated
from initperf.cli._arguments import add_json
from initperf.cli._notices import notice
from initperf.cli._output import show
from initperf.cli._output_files import output_file
from initperf.cli._pages import RUNS
from initperf.cli._pairs import no_effect
from initperf.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas

    from initperf.training.store import RunStore

HELP = "list the runs that a directory keeps; filter, export, merge and remove them"

_tell = functools.partial(notice, "runs")

_ROWS = ("epochs", "steps", "layers", "histograms")
_ALWAYS = ("run", "initializer", "activation")
_LAST = ("seed", "status", "test_accuracy", "test_r2", "train_seconds")
_SCORES = ("test_accuracy", "test_r2")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("directory", metavar="DIR", help="where train and sweep keep runs, --out")
    parser.add_argument(
        "--where",
        metavar="CONDITIONS",
        help='only runs that meet them: "activation=relu,tanh and depth>20"',
    )
    parser.add_argument(
        "--export", metavar="FILE", help="write all columns to a .csv or .parquet file"
    )
    parser.add_argument(
        "--rows",
        choices=_ROWS,
        help="with --export: these tables of the runs, under each other, instead of a row a run",
    )
    parser.add_argument(
        "--merge", metavar="DIR", action="append", default=[], help="copy the runs of another DIR"
    )
    parser.add_argument(
        "--remove", action="store_true", help="remove the runs that --where describes"
    )
    add_json(parser)
    no_effect(parser, "--rows", without="--export")
    no_effect(parser, "--json", beside="--export")
    no_effect(parser, "--json", beside="--remove")


def run(arguments: argparse.Namespace) -> None:
    """Do what the options say, and print a row a run.

    Raises
    ------
    UsageError
        For an export that cannot be written, and a removal of all runs.
    DataError
        For a directory that does not exist.
    """
    from initperf.training.where import matching

    if arguments.remove and not arguments.where:
        raise UsageError("--remove needs --where, which says what to remove")
    export = output_file("--export", arguments.export, ".csv", ".parquet")
    store, *others = map(_store, (arguments.directory, *arguments.merge))
    for other in others:
        copied, damaged = store.merge(other)
        _tell(f"{_counted(copied, 'run')} of {other.directory} copied")
        _tell_damaged(damaged)
    facts, damaged = store.facts()
    _tell_damaged(damaged)
    if arguments.where:
        facts = matching(facts, arguments.where)
    if export is not None:
        _export(store, facts, export, arguments.rows)
    if arguments.remove:
        for name in facts["run"]:
            store.remove(name)
        _tell(f"{_counted(len(facts), 'run')} removed")
        return
    inner = store.directory / RUNS
    if not len(store):
        hint = f"; did you mean {inner}?" if inner.is_dir() else ""
        _tell(f"{store.directory} holds no runs{hint}")
    if export is None:
        show(_rows(facts, arguments.json), arguments.json)


def _store(directory: str) -> "RunStore":
    from initperf.training.store import RunStore

    if not Path(directory).is_dir():
        raise DataError(f"{directory}: no such directory of runs")
    return RunStore(directory)


def _rows(facts: "pandas.DataFrame", everything: bool) -> list[dict[str, Any]]:
    """Return a row a run: what identifies it, settings that differ, and how it ended."""
    if not everything:
        fixed = {*_ALWAYS, *_LAST, "compile_seconds", "dataset_digest", "diverged_layer"}
        differing = [
            name
            for name in facts.columns
            if name not in fixed and facts[name].nunique(dropna=False) > 1
        ]
        facts = facts.assign(hidden=facts["hidden"].map(_short, na_action="ignore"))
        last = [one for one in _LAST if one not in _SCORES or facts[one].notna().any()]
        # widths of layers are text, and in its order 128 is before 16
        order = dict.fromkeys([*_ALWAYS[1:], "depth", "width", *differing, "seed"])
        facts = facts.sort_values(list(order), kind="stable")[[*_ALWAYS, *differing, *last]]
    whole = facts.convert_dtypes().astype(object)
    rows: list[dict[str, Any]] = whole.where(whole.notna(), None).to_dict("records")
    return rows


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _short(hidden: str) -> str:
    return hyphenated(hidden.split("-"))


def _export(store: "RunStore", facts: "pandas.DataFrame", path: Path, rows: str | None) -> None:
    """Write the facts of runs, or their tables under each other.

    Parameters
    ----------
    store : RunStore
    facts : pandas.DataFrame
        A row a run.
    path : pathlib.Path
        A .csv or .parquet file.
    rows : str or None
        Name of the tables; None for the facts.
    """
    import pandas

    from initperf._core.storage import replacing

    table = facts
    if rows is not None:
        parts = []
        for name in facts["run"]:
            part = getattr(store.load(name), rows)
            part.insert(0, "run", name)
            parts.append(part)
        table = pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame()
    try:
        with replacing(path) as temporary:
            if path.suffix.lower() == ".csv":
                table.to_csv(temporary, index=False)
            else:
                table.to_parquet(temporary, index=False)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    _tell(f"{_counted(len(table), 'row')} written to {path}")


def _tell_damaged(damaged: dict[str, str]) -> None:
    for name, reason in damaged.items():
        _tell(f"run {name} is damaged, and a sweep trains it again: {reason}")
