"""Suggestion of the nearest known name for a mistyped or abbreviated one."""

import difflib
import re
from collections.abc import Iterable

_CUTOFF, _CUTOFF_OF_A_WORD = 0.65, 0.5
"""Least similarity, `difflib`'s ratio in [0, 1], at which a name is suggested.

Two letters that changed places in a word of four give 0.75; words of different meaning, such as
model and movie, or scale and schedule, up to 0.62. The lower bound holds for names whose last word
is the same, as max_norm and clip_norm, 0.53; dropout_rate and learning_rate have 0.43.
"""

_SHORTEST = 2
"""Letters of an abbreviation, at least."""

_VAGUE = ("size", "steps")
"""Words that do not say by themselves which name is meant: a size may be a batch's or a layer's."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a mistyped or abbreviated one most likely means, or None.

    Beginnings of all words of a name come first, as lr of learning_rate and randn of random_normal,
    then the beginning of a name and one of its words, as batch and rate, and then similarity of
    spelling. What begins with no, as no_record, means no name that does not.

    Parameters
    ----------
    name : str
        The name that was typed.
    known : iterable of str
        The names that exist, those first that are meant more often.
    """
    typed = _words(name)
    negated = typed[:1] == ["no"] and len(typed) > 1
    words = {one: _words(one) for one in known}
    words = {one: own for one, own in words.items() if not negated or own[:1] == ["no"]}
    short = "".join(typed)
    if len(short) >= _SHORTEST:
        for one, own in words.items():
            if len(own) > 1 and (_shortens(short, own) or _shortens(short.removesuffix("s"), own)):
                return one
        if longer := [one for one, own in words.items() if "".join(own).startswith(short)]:
            return min(longer, key=len)
        for one, own in words.items():
            if short in own and short not in _VAGUE:
                return one
    last = [one for one in typed[-1:] if one not in _VAGUE]
    same = {one: own for one, own in words.items() if last and own[-1:] == last}
    return _similar(short, words, _CUTOFF) or _similar(short, same, _CUTOFF_OF_A_WORD)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def _shortens(short: str, words: list[str]) -> bool:
    """Return whether a text is made of a beginning of each of the words, in their order."""
    if not words:
        return not short
    first, *others = words
    return any(
        first.startswith(short[:count]) and _shortens(short[count:], others)
        for count in range(1, min(len(short), len(first)) + 1)
    )


def _similar(short: str, words: dict[str, list[str]], cutoff: float) -> str | None:
    """Return the name whose words are spelled most similarly, or None.

    Parameters
    ----------
    short : str
        What was typed, in lower case and without signs.
    words : dict of str to list of str
        Words of each known name.
    cutoff : float
        Least similarity.
    """
    joined: dict[str, str] = {}
    for one, own in words.items():
        joined.setdefault("".join(own), one)
    found = difflib.get_close_matches(short, joined, n=1, cutoff=cutoff)
    return joined[found[0]] if found else None


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
