"""Lines on stderr, each with the verb that prints it."""

import sys

from initperf._core.text import one_line


def notice(verb: str, text: str) -> None:
    """Print a text as one line on stderr.

    Parameters
    ----------
    verb : str
        Name of the verb, with which the line begins.
    text : str
    """
    print(f"initperf {verb}: {one_line(text)}", file=sys.stderr, flush=True)
