"""Suggestion of the nearest known name for a mistyped or abbreviated one."""

import difflib
import re
from collections.abc import Callable, Iterable

_CUTOFF = 0.65
"""Least similarity, `difflib`'s ratio in [0, 1], at which a name is suggested.

Two letters that changed places in a word of four give 0.75; words of different meaning, such as
model and movie, or scale and schedule, up to 0.62.
"""

_SHORTEST = 2
"""Letters of an abbreviation, at least."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a mistyped or abbreviated one most likely means, or None.

    Initials of a name's words come first, as lr of learning_rate, then the beginning of a name and
    one of its words, as batch and size of batch_size, and then similarity of spelling.

    Parameters
    ----------
    name : str
        The name that was typed.
    known : iterable of str
        The names that exist, those first that are meant more often.
    """
    names = list(known)
    for shortens in _SHORTENINGS if len(name) >= _SHORTEST else ():
        meant = [one for one in names if shortens(name.lower(), _words(one))]
        if meant:
            return min(meant, key=len) if shortens is _beginning else meant[0]
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=_CUTOFF)), None)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def _initials(short: str, words: list[str]) -> bool:
    initials = "".join(word[0] for word in words)
    return len(words) > 1 and short in (initials, f"{initials}s")


def _beginning(short: str, words: list[str]) -> bool:
    return "_".join(words).startswith("_".join(_words(short)) or " ")


def _one_word(short: str, words: list[str]) -> bool:
    return short in words


_SHORTENINGS: tuple[Callable[[str, list[str]], bool], ...] = (_initials, _beginning, _one_word)


def suggestion(name: str, known: Iterable[str], listed: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"``, or ``"there are x, y"`` where no name is similar.

    Parameters
    ----------
    name : str
        The name that was typed.
    known : iterable of str
        The names that may be suggested, aliases included.
    listed : iterable of str
        The names to list, in order, when none is similar.
    """
    near = nearest(name, known)
    return f"there are {', '.join(listed)}" if near is None else f"did you mean {near!r}?"
