"""The choice of what is timed by words in names, and progress through it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from initperf._core.progress import Progress
from initperf.errors import UsageError

T = TypeVar("T")


def select(
    every: Sequence[T], label: Callable[[T], str], words: str, *, kind: str, among: Sequence[str]
) -> list[T]:
    """Return what has all words in its label, in whatever case.

    Parameters
    ----------
    every : sequence
        What there is.
    label : callable
        Gives the name and size of each.
    words : str
        Separated by spaces, as in ``"normal 784"``; none select everything.
    kind : str
        What it is that is selected, in the singular.
    among : sequence of str
        What the error message lists.

    Returns
    -------
    list

    Raises
    ------
    UsageError
        When nothing has these words.
    """
    wanted = words.lower().split()
    found = [one for one in every if all(word in label(one).lower() for word in wanted)]
    if not found:
        listed = "; ".join(among)
        raise UsageError(f"no {kind} has {words!r} in its name and size; there are {listed}")
    return found


def with_progress(steps: Sequence[T], label: Callable[[T], str], progress: Progress) -> Iterator[T]:
    """Give the steps one by one, with the progress.

    Parameters
    ----------
    steps : sequence
        What is done one after the other.
    label : callable
        Gives the words for a step.
    progress : callable
        Told ``(done, total, label)`` before each step, and at the end.

    Yields
    ------
    object
        Each step.
    """
    for done, step in enumerate(steps):
        progress(done, len(steps), label(step))
        yield step
    progress(len(steps), len(steps), "")
