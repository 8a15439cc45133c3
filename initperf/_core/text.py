"""Text that is safe to print: one line, without control characters."""

import unicodedata


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
