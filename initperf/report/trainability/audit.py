"""Audit of advice: what was advised, beside what runs of one's own say in the same setups."""

from collections.abc import Iterable
from typing import Any

from initperf.report.trainability.advice import advise
from initperf.report.trainability.cells import cells_of, rank_cells
from initperf.report.trainability.evidence import Trial
from initperf.report.trainability.question import Question


def audit(advising: Iterable[Trial], full: Iterable[Trial]) -> list[dict[str, Any]]:
    """Compare advice with runs that it does not rest on.

    Parameters
    ----------
    advising : iterable of Trial
        What the advice rests on.
    full : iterable of Trial
        Runs to judge it by; each of their setups is a question.

    Returns
    -------
    list of dict
        A row a setup: ``activation``, ``depth``, ``width``, ``optimizer``, ``advised`` and
        ``from_depth`` (the first rule of the advice, and the depth of the runs that it rests on),
        ``accuracy`` (of that rule), ``best`` and ``best_accuracy``, by the full runs, ``behind``
        and ``reach`` (their paired difference and half its simultaneous 95 % interval), ``verdict``
        (of the advised rule: ``"best"``, ``"tied"``, ``"undecided"``, ``"worse"``,
        ``"diverged"``, or ``"not tried"``), ``rules`` and ``seeds`` of the full runs.
    """
    known = list(advising)
    rows = []
    for setup, cells in cells_of(full).items():
        question = Question(setup.activation, setup.depth, setup.width, setup.optimizer)
        advice = advise(question, known)
        advised = advice.rows[0]["initializer"] if advice.rows else None
        found = {one.name: one for one in rank_cells(cells)}
        best = next(iter(found.values()))
        own = found.get(advised) if advised is not None else None
        rows.append(
            {
                "activation": setup.activation,
                "depth": setup.depth,
                "width": setup.width,
                "optimizer": setup.optimizer,
                "advised": advised,
                "from_depth": None if advice.setup is None else advice.setup.depth,
                "accuracy": None if own is None else own.mean,
                "best": best.name,
                "best_accuracy": best.mean,
                "behind": None if own is None else own.behind,
                "reach": None if own is None else own.reach,
                "verdict": "not tried" if own is None else own.verdict,
                "rules": len(found),
                "seeds": best.seeds,
            }
        )
    return rows
