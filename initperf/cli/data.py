"""``initperf data``: table of the data sets on this machine, and the download of one."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from initperf._core.text import one_line
from initperf.cli._arguments import add_data, add_json
from initperf.cli._output import explain, show
from initperf.cli._output_files import check_output_directory
from initperf.cli._pairs import no_effect
from initperf.errors import DataError

_COLUMNS = {
    "name": "name",
    "train": "train_count",
    "test": "test_count",
    "sha256": "digest",
    "mean": "mean",
    "std": "std",
    "source": "source",
}
"""Keys of `initperf.data.describe` by column."""

HELP = "list the data sets found on this machine; `data fetch NAME` downloads one"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    actions = parser.add_subparsers(dest="action", metavar="fetch")
    add_data(parser)
    add_json(parser)
    no_effect(parser, "--data-dir", beside="fetch", why="fetch takes --to DIR, not {option}")
    no_effect(parser, "--json", beside="fetch")
    fetch = actions.add_parser("fetch", help="download a data set; no other command does")
    fetch.add_argument("name", metavar="NAME", help="mnist or fashion_mnist")
    fetch.add_argument(
        "--to", metavar="DIR", help="directory to download to, by default initperf's cache"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the table, or download."""
    from initperf import data

    if arguments.action == "fetch":
        if arguments.to is not None:
            check_output_directory("--to", Path(arguments.to))
        directory = data.fetch(
            arguments.name, arguments.to, report=lambda line: print(one_line(line), file=sys.stderr)
        )
        print(one_line(f"{arguments.name} is in {directory}"))
        return
    if arguments.data_dir is not None and not os.path.isdir(os.path.expanduser(arguments.data_dir)):
        raise DataError(f"{arguments.data_dir}: no such directory")
    rows: list[dict[str, Any]] = []
    absent: list[str] = []
    for found in data.available(arguments.data_dir):
        row = {shown: found[name] for shown, name in _COLUMNS.items() if name in found}
        if "error" in found:
            absent.append(f"{found['name']}: {found['error']}")
            row["source"] = f"not here: {found['error']}"
        if arguments.json or "error" not in found:
            rows.append(row)
    if rows:
        show(rows, arguments.json)
    if arguments.json:
        return
    if rows:
        print()
    for line in absent:
        explain(line)
