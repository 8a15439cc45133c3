"""Reasons why the runs that advice rests on are thin evidence, in words."""

import math
from collections.abc import Mapping, Sequence

from initperf._core.ranking import Ranked
from initperf.report.trainability.cells import Cell, Setup
from initperf.report.trainability.question import Question

_FEW_SEEDS = 3
_FAR = 1.5
"""Ratio of depths, or widths, beyond which runs say little about a question."""


def reasons(
    question: Question, setup: Setup, found: Sequence[Ranked], cells: Mapping[str, Cell]
) -> list[str]:
    """Return why the evidence is thin.

    Parameters
    ----------
    question : Question
    setup : Setup
        That of the runs.
    found : sequence of Ranked
    cells : mapping of str to Cell
        By rule.
    """
    said = []
    for name, asked, has in (
        ("depth", question.depth, setup.depth),
        ("width", question.width or setup.width, setup.width),
    ):
        if max(asked, has) > _FAR * min(asked, has):
            said.append(f"the nearest runs have {name} {has}, not {asked}")
    least = min(one.seeds for one in found)
    if least < _FEW_SEEDS:
        said.append("one seed only" if least == 1 else f"{least} seeds only")
    if len(found) < 2:
        said.append("one rule only was tried")
    if found[0].verdict == "diverged":
        said.append("every run diverged")
    elif math.isfinite(found[0].mean) and found[0].mean < 0.5:
        said.append("no rule learned well: the best accuracy is below 50 %")
    if any(one.verdict == "undecided" for one in found):
        names = [one.name for one in found if one.verdict == "undecided"]
        said.append(f"too few seeds to tell {', '.join(names)} from {found[0].name}")
    if cells[found[0].name].at_edge:
        said.append(
            f"the best rate of {found[0].name} is the smallest or the largest that was tried"
        )
    return said
