"""Advice on initializers for an activation and a depth: ranked, with its evidence and its gaps."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from initperf._core.ranking import Ranked
from initperf.initializers import INITIALIZERS
from initperf.report.trainability.cells import Cell, Setup, cells_of, rank_cells
from initperf.report.trainability.evidence import Trial
from initperf.report.trainability.limits import Limit, limits_of
from initperf.report.trainability.predictions import predict
from initperf.report.trainability.question import Question
from initperf.report.trainability.thin_evidence import reasons
from initperf.schemes import SCHEMES

_WIDTH = 100
"""Width that theory is told where a question names none."""
_THEORY = "theory only"


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
    remarks = reasons(question, setup, found, own)
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
        "learns_to": "" if limit is None else limit.limit.words(),
        "signal": None if theory is None else theory.signal,
        "gradient": None if theory is None else theory.gradient,
        "runs": [one.run for one in cell.counted],
    }


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
