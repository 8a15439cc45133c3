"""Text that is safe and short to print: one line, no control characters, widths by their runs."""

import unicodedata
from collections.abc import Iterable
from itertools import groupby


def one_line(text: str) -> str:
    """Return a text on one line, without characters that would control a terminal.

    Parameters
    ----------
    text : str
        Any text. White space becomes single spaces; other control characters and lone
        surrogates, which stand for undecodable bytes of paths, are written as escapes.
    """
    joined = " ".join(text.split())
    if joined.isprintable():
        return joined
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in ("Cc", "Cf", "Cs")
        else character
        for character in joined
    )


def hyphenated(widths: Iterable[object]) -> str:
    """Return widths of layers joined by hyphens, equal neighbours as ``20x100``.

    Parameters
    ----------
    widths : iterable of object
        Such as (784, 100, 100, 10), which gives ``"784-2x100-10"``.
    """
    parts = []
    for width, equal in groupby(widths):
        count = len(list(equal))
        parts.append(f"{count}x{width}" if count > 1 else f"{width}")
    return "-".join(parts)
