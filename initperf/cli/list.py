"""``initperf list``: table of initializers, and of schemes that set whole networks."""

import argparse

from initperf.cli._arguments import OF_ACTIVATIONS, add_json, named
from initperf.cli._output import show

HELP = "list the initializers: formula, source, and the activations they suit"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    named(
        parser.add_argument(
            "--activation", metavar="NAME", help="only those recommended for this activation"
        ),
        OF_ACTIVATIONS,
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    from initperf.activations import ACTIVATIONS
    from initperf.initializers import INITIALIZERS
    from initperf.schemes import SCHEMES

    wanted = arguments.activation and ACTIVATIONS.canonical(arguments.activation)
    show(
        [
            {
                "name": name,
                "sets": kind,
                "formula": rule.formula,
                "suits": rule.suits,
                "source": rule.cite,
                "aliases": registry.aliases(name),
            }
            for registry, kind in ((INITIALIZERS, "a weight"), (SCHEMES, "a network"))
            for name, rule in registry.items()
            if not wanted or wanted in rule.suits
        ],
        arguments.json,
    )
