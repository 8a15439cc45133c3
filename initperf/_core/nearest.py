"""Suggestion of the nearest known name for a mistyped one."""

import difflib
from collections.abc import Iterable

_CUTOFF = 0.5
"""Least similarity, `difflib`'s ratio in [0, 1], at which a name is suggested."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to a mistyped one, or None where none is similar.

    Parameters
    ----------
    name : str
        The name that was typed.
    known : iterable of str
        The names that exist.
    """
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=_CUTOFF)), None)


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
