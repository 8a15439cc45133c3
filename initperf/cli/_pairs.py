"""Options that have no effect beside another one, or without it: declared by verbs, and refused."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Options that have no effect beside an option or a word, or without an option.

    Attributes
    ----------
    options : tuple of str
        Such as ``--seeds``.
    beside : str
        Option, also with a value, as ``--format=png``, or word of a positional argument, beside
        which they have none; empty for always.
    without : str
        Option without which they have none; empty for whether or not.
    why : str
        Message instead of the usual one, in which ``{option}`` is the option that was given.
    """

    options: tuple[str, ...]
    beside: str
    without: str
    why: str

    def message(self, option: str) -> str:
        """Return the message for an option that was given."""
        if self.why:
            return self.why.format(option=option)
        if not self.beside:
            return f"{option} goes with {self.without}"
        unless = f" without {self.without}" if self.without else ""
        return f"{option} has no effect with {self.beside}{unless}"


def no_effect(
    parser: argparse.ArgumentParser,
    *options: str,
    beside: str = "",
    without: str = "",
    why: str = "",
) -> None:
    """Declare options that have no effect beside another, or without it, and are refused then.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    *options : str
        See `Pair`, also for the others.
    beside, without, why : str
    """
    vars(parser).setdefault("pairs", []).append(Pair(options, beside, without, why))


def without_effect(
    parser: argparse.ArgumentParser, words: Iterable[str], found: argparse.Namespace
) -> str:
    """Return the message about the first option without effect; empty where there is none.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        That of a verb, which has declared its pairs.
    words : iterable of str
        Its arguments.
    found : argparse.Namespace
        What they were parsed to.
    """
    known = parser._option_string_actions
    flags = [word.partition("=")[0] for word in words]
    given = {known[flag].dest: flag for flag in flags if flag in known}
    positional = [getattr(found, one.dest, "") for one in parser._actions if not one.option_strings]

    def is_given(word: str) -> bool:
        flag, _, value = word.partition("=")
        if flag not in known:
            return word in positional
        dest = known[flag].dest
        return dest in given and value in ("", str(getattr(found, dest)))

    pairs: list[Pair] = getattr(parser, "pairs", [])
    for pair in pairs:
        if (pair.beside and not is_given(pair.beside)) or (pair.without and is_given(pair.without)):
            continue
        for option in filter(is_given, pair.options):
            return pair.message(given[known[option].dest])
    return ""
