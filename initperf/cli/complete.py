"""``initperf complete``: completion scripts of shells for verbs, options and names."""

import argparse
import itertools
import pkgutil
from collections.abc import Iterator

HELP = "print a script by which bash or zsh complete verbs, options and names"

_FILES = {"DIR": "DIRECTORY", "FILE": "FILE", "FILE.npy": "FILE"}
"""Kinds of path, as shtab calls them, by the placeholder of the option."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh"), help="bash or zsh")


def run(arguments: argparse.Namespace) -> None:
    """Print the script, with all registered names."""
    import shtab

    from initperf.cli._main import parser_of_verbs

    parser = parser_of_verbs()
    for action in _actions(parser):
        if registries := getattr(action, "registries", None):
            found = (pkgutil.resolve_name(registry).names() for registry in registries)
            action.choices = sorted(itertools.chain.from_iterable(found))
        elif kind := _FILES.get(str(action.metavar)):
            vars(action)["complete"] = getattr(shtab, kind)
    print(shtab.complete(parser, arguments.shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)
