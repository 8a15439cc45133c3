"""``initperf runs``: runs that a directory keeps, listed, filtered, exported, merged, removed."""

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf.cli._arguments import add_json
from initperf.cli._notices import notice
from initperf.cli._output import show
from initperf.errors import UsageError

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


def run(arguments: argparse.Namespace) -> None:
    """Do what the options say, and print a row a run.

    Raises
    ------
    UsageError
        For a directory that does not exist, a file of another kind, and a removal of all runs.
    """
    from initperf.training.where import matching

    store = _store(arguments.directory)
    if arguments.remove and not arguments.where:
        raise UsageError("--remove needs --where, which says what to remove")
    if arguments.rows and not arguments.export:
        raise UsageError("--rows goes with --export")
    for other in arguments.merge:
        copied, damaged = store.merge(_store(other))
        _tell(f"{copied} runs of {other} copied")
        _tell_damaged(damaged)
    facts, damaged = store.facts()
    _tell_damaged(damaged)
    if arguments.where:
        facts = matching(facts, arguments.where)
    if arguments.export:
        _export(store, facts, arguments)
    if arguments.remove:
        for name in facts["run"]:
            store.remove(name)
        _tell(f"{len(facts)} runs removed")
        return
    if not arguments.export:
        show(_rows(facts, arguments.json), arguments.json)


def _store(directory: str) -> "RunStore":
    from initperf.training.store import RunStore

    if not Path(directory).is_dir():
        raise UsageError(f"{directory}: no such directory of runs")
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
        last = [one for one in _LAST if one not in _SCORES or facts[one].notna().any()]
        facts = facts[[*_ALWAYS, *differing, *last]]
    whole = facts.convert_dtypes().astype(object)
    rows: list[dict[str, Any]] = whole.where(whole.notna(), None).to_dict("records")
    return rows


def _export(store: "RunStore", facts: "pandas.DataFrame", arguments: argparse.Namespace) -> None:
    import pandas

    from initperf._core.storage import replacing

    path = Path(arguments.export)
    if path.suffix not in (".csv", ".parquet"):
        raise UsageError(f"--export must be a .csv or .parquet file, not {arguments.export!r}")
    table = facts
    if arguments.rows:
        parts = []
        for name in facts["run"]:
            part = getattr(store.load(name), arguments.rows)
            part.insert(0, "run", name)
            parts.append(part)
        table = pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame()
    try:
        with replacing(path) as temporary:
            if path.suffix == ".csv":
                table.to_csv(temporary, index=False)
            else:
                table.to_parquet(temporary, index=False)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    _tell(f"{len(table):,} rows written to {path}")


def _tell_damaged(damaged: dict[str, str]) -> None:
    for name, reason in damaged.items():
        _tell(f"run {name} is damaged, and a sweep trains it again: {reason}")
