"""``initperf history``: benchmark results by commit, and where their level changed."""

import argparse
import sys
from typing import TYPE_CHECKING

from initperf.cli._arguments import add_json
from initperf.cli._figures import from_figures
from initperf.cli._output import show
from initperf.cli._output_files import output_file
from initperf.cli._pairs import no_effect

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

HELP = "keep benchmark results by commit, and tell at which commits their level changed"
_FORMATS = (".svg", ".png", ".pdf")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("directory", metavar="DIR", help="the history; --add creates it")
    parser.add_argument(
        "--add", metavar="FILE.json", help="add a session, as pytest --benchmark-json wrote it"
    )
    parser.add_argument(
        "--commit", metavar="REVISION", help="with --add, what it measured (default HEAD)"
    )
    parser.add_argument("--figure", metavar="FILE", help="draw it: SVG, PNG or PDF by the suffix")
    add_json(parser)
    no_effect(parser, "--commit", without="--add")


def run(arguments: argparse.Namespace) -> None:
    """Add, print the changes, and draw."""
    from initperf.benchmarks.history import add, changes, read_history, series

    figure = output_file("--figure", arguments.figure, *_FORMATS)
    if figure is not None:
        from_figures("draw")  # an error before a session is added
    if arguments.add is not None:
        added = add(arguments.directory, arguments.add, arguments.commit)
        print(f"initperf: added {added}", file=sys.stderr)
    sessions = read_history(arguments.directory)
    table = series(sessions)
    found = changes(table)
    if figure is not None:
        _draw(figure, table)
    count = f"{len(sessions)} session{'s' * (len(sessions) != 1)}"
    print(f"initperf: {count}, {len(found)} changes of level", file=sys.stderr)
    show(found, arguments.json)


def _draw(path: "Path", table: "pd.DataFrame") -> None:
    """Draw the history with the figures that are installed beside initperf."""
    from initperf._core.storage import replacing
    from initperf.errors import UsageError

    figure = from_figures("draw")("benchmark_history", {"benchmark_history": table})
    try:
        with replacing(path) as written:
            figure.savefig(written, format=path.suffix[1:].lower(), dpi=300)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
