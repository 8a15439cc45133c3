"""``initperf compare``: regressions between two files of pytest-benchmark."""

import argparse

from initperf.cli._arguments import add_json
from initperf.cli._output import show

HELP = "compare two pytest-benchmark files; exit 1 on a regression, 4 when too noisy to judge"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("old", metavar="OLD.json")
    parser.add_argument("new", metavar="NEW.json")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison and return the exit code."""
    import sys

    from initperf.benchmarks.regressions import compare_files

    found = compare_files(arguments.old, arguments.new)
    for warning in found.warnings:
        print(f"initperf: {warning}", file=sys.stderr)
    print(f"initperf: {found.noise}", file=sys.stderr)
    show(found.table.to_dict("records"), arguments.json)
    return found.exit_code
