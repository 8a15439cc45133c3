"""Parameters of rules on the command line: ``--set``."""

import argparse
import ast
from typing import Any

from initperf.cli._arguments import quoted
from initperf.errors import UsageError


def add_parameters(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """Add ``--set``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a parameter of the rule, such as gain=2 or mode=fan_out; may be given several times",
    )


def parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of ``--set``: Python literals, or else words.

    Raises
    ------
    UsageError
        For a text without ``=`` and for a parameter given twice.
    """
    return {name: literal(text) for name, text in _texts(arguments, "gain=2").items()}


def listed_parameters(arguments: argparse.Namespace) -> dict[str, list[Any]]:
    """Return the parameters of ``--set`` where each may have several values, for a grid.

    Raises
    ------
    UsageError
        As `parameters`.
    """
    texts = _texts(arguments, "gain=1,2")
    return {name: [literal(one) for one in split(text)] for name, text in texts.items()}


def _texts(arguments: argparse.Namespace, example: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set must be PARAMETER=VALUE, as {example}, not {quoted(text)}")
        if name in given:
            raise UsageError(f"--set gives {name} twice")
        given[name] = value
    return given


def literal(text: str) -> Any:
    """Return the value of a Python literal, or else the text itself, a word."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def split(text: str) -> list[str]:
    """Split at the commas outside of parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
