"""Advice on initializers for an activation and a depth: ranked, with its evidence and its gaps."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from initperf._core.arguments import whole
from initperf._core.ranking import Ranked, ranked
from initperf.activations import ACTIVATIONS
from initperf.initializers import INITIALIZERS
from initperf.optimizers import OPTIMIZERS
from initperf.report.trainability.cells import Cell, Setup, cells_of
from initperf.report.trainability.evidence import Trial
from initperf.report.trainability.limits import Limit, limits_of
from initperf.report.trainability.predictions import predict
from initperf.schemes import SCHEMES

_FEW_SEEDS = 3
_FAR = 1.5
"""Ratio of depths, or widths, beyond which runs say little about a question."""
_WIDTH = 100
"""Width that theory is told where a question names none."""
_THEORY = "theory only"


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    activation : str
        Of the hidden layers; in canonical form.
    depth : int
        Hidden layers.
    width : int or None
        Units of each; that of the nearest runs where it is None.
    optimizer : str

    Raises
    ------
    ValueError
        For an unknown name, and numbers below 1.
    """

    activation: str
    depth: int
    width: int | None = None
    optimizer: str = "sgd"

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", ACTIVATIONS.canonical(self.activation))
        object.__setattr__(self, "optimizer", OPTIMIZERS.canonical(self.optimizer))
        whole("depth", self.depth, 1, most=10_000)
        if self.width is not None:
            whole("width", self.width, 1, most=1_000_000)


@dataclass(frozen=True)
class Advice:
    """Answer to a question.

    Attributes
    ----------
    rows : list of dict
        A row a rule, the best first: ``rank``, ``initializer``, ``verdict`` of
        `initperf._core.ranking.Ranked`, ``accuracy``, ``low``, ``high`` (expected accuracy and its
        95 % interval), ``behind`` (the mean difference from the best), ``seeds``, ``diverged``,
        ``learning_rate``, ``good_decades`` (width of the range of good rates), ``learns_to`` (depth
        until which it learns, in words), ``signal`` and ``gradient`` of `Prediction`, ``runs``
        (names of the runs).
    setup : Setup or None
        That of the runs; None where there are none, and theory alone answers.
    remarks : list of str
        Why the evidence is thin, a sentence each; empty where it is not.
    """

    rows: list[dict[str, Any]]
    setup: Setup | None
    remarks: list[str]


def advise(question: Question, trials: Iterable[Trial]) -> Advice:
    """Rank the rules for a question by the runs nearest to it.

    The runs are those of one setup with the activation and the optimizer asked for: nearest in the
    ratio of depths, then of widths; of several, the one with the most runs.

    Parameters
    ----------
    question : Question
    trials : iterable of Trial
    """
    cells = cells_of(trials)
    setup = _nearest(question, cells)
    if setup is None:
        return _by_theory(question)
    found = rank_cells(cells[setup])
    limits = {
        one.initializer: one for one in limits_of(cells) if one.setup.family() == setup.family()
    }
    own = {cell.initializer: cell for cell in cells[setup]}
    width = setup.width if question.width is None else question.width
    whole_question = replace(question, width=width)
    rows = [
        _row(place, one, own[one.name], limits.get(one.name), whole_question)
        for place, one in enumerate(found, start=1)
    ]
    untried = {
        cell.initializer
        for other, several in cells.items()
        if other.family() == setup.family()
        for cell in several
    } - set(own)
    remarks = _remarks(question, setup, found, own)
    if untried:
        remarks.append(f"not tried at this depth: {', '.join(sorted(untried))}")
    return Advice(rows, setup, remarks)


def _nearest(question: Question, cells: dict[Setup, list[Cell]]) -> Setup | None:
    fitting = [
        setup
        for setup in cells
        if (setup.activation, setup.optimizer) == (question.activation, question.optimizer)
    ]

    def distance(setup: Setup) -> tuple[float, float, int, Setup]:
        width = setup.width if question.width is None else question.width
        count = sum(len(cell.counted) for cell in cells[setup])
        return (
            abs(math.log(setup.depth / question.depth)),
            abs(math.log(setup.width / width)),
            -count,
            setup,
        )

    return min(fitting, key=distance, default=None)


def rank_cells(cells: Sequence[Cell]) -> list[Ranked]:
    """Rank the rules of one setup by their runs, the best first.

    Parameters
    ----------
    cells : sequence of Cell
        Of one setup; a run that diverged counts with an accuracy of 0.
    """
    seeds = sorted({one.seed for cell in cells for one in cell.counted})
    scores = np.full((len(seeds), len(cells)), math.nan)
    for column, cell in enumerate(cells):
        for one in cell.counted:
            scores[seeds.index(one.seed), column] = one.score
    names = [cell.initializer for cell in cells]
    return ranked(names, scores, [cell.diverged for cell in cells])


def _row(
    place: int, found: Ranked, cell: Cell, limit: Limit | None, question: Question
) -> dict[str, Any]:
    """Return the row of a rule.

    Parameters
    ----------
    place : int
        From 1.
    found : Ranked
    cell : Cell
        Its runs.
    limit : Limit or None
        Until which depth it learns.
    question : Question
        With a width.
    """
    good = cell.good()
    width = question.width or _WIDTH
    theory = predict(found.name, question.activation, question.depth, width)
    return {
        "rank": place,
        "initializer": found.name,
        "verdict": found.verdict,
        "accuracy": found.expected,
        "low": None if math.isnan(found.low) else max(found.low, 0.0),
        "high": None if math.isnan(found.high) else min(found.high, 1.0),
        "behind": found.behind,
        "seeds": found.seeds,
        "diverged": found.diverged,
        "learning_rate": cell.learning_rate,
        "good_decades": None if good is None else good.decades,
        "learns_to": "" if limit is None else limit_words(limit),
        "signal": None if theory is None else theory.signal,
        "gradient": None if theory is None else theory.gradient,
        "runs": [one.run for one in cell.counted],
    }


def limit_words(limit: Limit) -> str:
    """Return until which depth a rule learns, in words: ``"22 (17 to 29)"``, ``"at least 64"``."""
    one = limit.limit
    if one.bound:
        return f"{one.bound} {one.depth:.0f}"
    if math.isnan(one.low):
        return f"{one.depth:.0f}"
    return f"{one.depth:.0f} ({one.low:.0f} to {one.high:.0f})"


def _remarks(
    question: Question, setup: Setup, found: Sequence[Ranked], cells: dict[str, Cell]
) -> list[str]:
    """Return why the evidence is thin.

    Parameters
    ----------
    question : Question
    setup : Setup
        That of the runs.
    found : sequence of Ranked
    cells : dict of str to Cell
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


def _by_theory(question: Question) -> Advice:
    """Rank by theory the rules that their sources recommend for the activation."""
    width = question.width or _WIDTH
    suited = [
        name
        for registry in (INITIALIZERS, SCHEMES)
        for name, rule in registry.items()
        if question.activation in rule.suits
    ]
    predicted = {
        name: found
        for name in suited
        if (found := predict(name, question.activation, question.depth, width)) is not None
    }
    order = sorted(predicted, key=lambda name: (predicted[name].distance(), name))
    rows = [
        {
            "rank": place,
            "initializer": name,
            "verdict": _THEORY,
            "signal": predicted[name].signal,
            "gradient": predicted[name].gradient,
            "runs": [],
        }
        for place, name in enumerate(order, start=1)
    ]
    remark = f"no runs with {question.activation} and {question.optimizer}: theory alone answers"
    return Advice(rows, None, [remark])
