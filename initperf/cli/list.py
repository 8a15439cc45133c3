"""``initperf list``: tables of rules, activations, losses, optimizers, schedules, data sets."""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from initperf.cli._arguments import OF_ACTIVATIONS, add_json, named
from initperf.cli._output import show
from initperf.errors import UsageError

HELP = "list the initializers: formula, source, and the activations they suit; or other names"

Row = dict[str, Any]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "kind",
        metavar="KIND",
        nargs="?",
        default="initializers",
        choices=tuple(_KINDS),
        help=f"what to list: {', '.join(_KINDS)}",
    )
    named(
        parser.add_argument(
            "--activation", metavar="NAME", help="only those recommended for this activation"
        ),
        OF_ACTIVATIONS,
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    if arguments.activation and arguments.kind != "initializers":
        raise UsageError(f"--activation chooses among initializers, not {arguments.kind}")
    rows = list(_KINDS[arguments.kind]())
    if arguments.activation:
        from initperf.activations import ACTIVATIONS

        wanted = ACTIVATIONS.canonical(arguments.activation)
        rows = [row for row in rows if wanted in row["suits"]]
    show(rows, arguments.json)


def _initializers() -> Iterator[Row]:
    from initperf.initializers import INITIALIZERS
    from initperf.schemes import SCHEMES

    for registry, kind in ((INITIALIZERS, "a weight"), (SCHEMES, "a network")):
        for name, rule in registry.items():
            yield {
                "name": name,
                "sets": kind,
                "formula": rule.formula,
                "suits": rule.suits,
                "source": rule.cite,
                "aliases": registry.aliases(name),
            }


def _activations() -> Iterator[Row]:
    from initperf.activations import ACTIVATIONS

    for name, one in ACTIVATIONS.items():
        yield {
            "name": name,
            "formula": one.formula,
            "gain": one.gain,
            "source": one.cite,
            "aliases": ACTIVATIONS.aliases(name),
        }


def _losses() -> Iterator[Row]:
    from initperf.losses import LOSSES

    for name, one in LOSSES.items():
        yield {
            "name": name,
            "formula": one.formula,
            "score": one.score,
            "source": one.cite,
            "aliases": LOSSES.aliases(name),
        }


def _choices(setting: str) -> Iterator[Row]:
    from initperf._core.schema import settings_of
    from initperf.training.choices import CHOICES

    registry = CHOICES[setting].registry
    for name, one in registry.items():
        yield {
            "name": name,
            "formula": one.formula,
            "settings": tuple(settings_of(type(one))),
            "source": one.cite,
        }


def _datasets() -> Iterator[Row]:
    from initperf.data import DATASETS

    for name, one in DATASETS.items():
        yield {"name": name, "title": one.title, "download": bool(one.mirrors)}


_KINDS: dict[str, Callable[[], Iterator[Row]]] = {
    "initializers": _initializers,
    "activations": _activations,
    "losses": _losses,
    "optimizers": lambda: _choices("optimizer"),
    "schedules": lambda: _choices("schedule"),
    "datasets": _datasets,
}
