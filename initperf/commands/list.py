"""``initperf list``: the initializers there are."""

import argparse

from initperf.commands._arguments import OF_ACTIVATIONS, add_json, named
from initperf.commands._output import show

HELP = "list the initializers: formula, source, and what they suit"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    named(
        parser.add_argument("--activation", metavar="NAME", help="only those recommended for it"),
        OF_ACTIVATIONS,
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    from initperf.activations import ACTIVATIONS
    from initperf.initializers import INITIALIZERS

    wanted = arguments.activation and ACTIVATIONS.canonical(arguments.activation)
    show(
        [
            {
                "name": name,
                "formula": initializer.formula,
                "suits": initializer.suits,
                "source": initializer.cite,
                "aliases": INITIALIZERS.aliases(name),
            }
            for name, initializer in INITIALIZERS.items()
            if not wanted or wanted in initializer.suits
        ],
        arguments.json,
    )
