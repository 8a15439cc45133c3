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
    found = data.available(arguments.data_dir)
    here = [row for row in found if "error" not in row]
    if arguments.json:
        absent = [
            {"name": row["name"], "source": f"not here: {row['error']}"}
            for row in found
            if "error" in row
        ]
        show(sorted([*map(_shown, here), *absent], key=lambda row: str(row["name"])), True)
        return
    if here:
        show([_shown(row) for row in here], False)
        print()
    for row in found:
        if "error" in row:
            explain(f"{row['name']}: {row['error']}")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "train": row["train_count"],
        "test": row["test_count"],
        "sha256": row["digest"],
        "mean": row["mean"],
        "std": row["std"],
        "source": row["source"],
    }
