"""``initperf compare``: regressions between two files of pytest-benchmark."""

import argparse

from initperf._core.text import one_line
from initperf.cli._arguments import add_json
from initperf.cli._output import show

HELP = "compare two pytest-benchmark files; exit 1 on a regression, 4 when too noisy to judge"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("old", metavar="OLD.json", help="file of the session before")
    parser.add_argument("new", metavar="NEW.json", help="file of the session after")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison and return the exit code."""
    import sys

    from initperf.benchmarks.regressions import compare_files

    found = compare_files(arguments.old, arguments.new)
    for warning in found.warnings:
        print(f"initperf: {one_line(warning)}", file=sys.stderr)
    print(f"initperf: {found.noise}", file=sys.stderr)
    rows = found.table.to_dict("records")
    # pandas holds an empty cell of numbers as NaN
    show(
        [{key: None if one != one else one for key, one in row.items()} for row in rows],
        arguments.json,
    )
    return found.exit_code
