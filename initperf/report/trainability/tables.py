"""Tables of a study that figures are drawn from: accuracy by depth, limits, rates."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from initperf.report.rate_search import with_good_ranges
from initperf.report.trainability.cells import Cell, Setup, cells_of, distinguishing_words
from initperf.report.trainability.evidence import Trial
from initperf.report.trainability.limits import limits_of, limits_table

if TYPE_CHECKING:
    import pandas as pd


def study_tables(trials: Iterable[Trial]) -> "dict[str, pd.DataFrame]":
    """Return the tables of trials.

    Parameters
    ----------
    trials : iterable of Trial

    Returns
    -------
    dict of str to pandas.DataFrame
        ``"depth_curves"`` of `curves_table`; ``"depth_limits"`` of `limits_table` where several
        depths were tried; ``"rates"`` of `searches_table` where several rates were.
    """
    cells = cells_of(trials)
    found = {"depth_curves": curves_table(cells)}
    if limits := limits_of(cells):
        found["depth_limits"] = limits_table(limits)
    if any(len(cell.search) > 1 for own in cells.values() for cell in own):
        found["rates"] = searches_table(cells)
    return found


def curves_table(cells: dict[Setup, list[Cell]]) -> "pd.DataFrame":
    """Return one row a run that counts: accuracy by depth.

    Parameters
    ----------
    cells : dict
        See `cells_of`.

    Returns
    -------
    pandas.DataFrame
        ``activation``, ``setup``, ``initializer``, ``depth``, ``seed``, ``learning_rate``,
        ``status``, ``test_accuracy``, ``run``.
    """
    import pandas as pd

    words = distinguishing_words(cells)
    return pd.DataFrame(
        [
            {
                "activation": setup.activation,
                "setup": words[setup],
                "initializer": cell.initializer,
                "depth": setup.depth,
                "seed": one.seed,
                "learning_rate": one.learning_rate,
                "status": one.status,
                "test_accuracy": one.test_accuracy,
                "run": one.run,
            }
            for setup, own in cells.items()
            for cell in own
            for one in cell.counted
        ]
    )


def searches_table(cells: dict[Setup, list[Cell]]) -> "pd.DataFrame":
    """Return one row a rate that was searched, as `initperf.report.rate_search.rates_table`.

    Parameters
    ----------
    cells : dict
        See `cells_of`.
    """
    import pandas as pd

    words = distinguishing_words(cells)
    rows = []
    for setup, own in cells.items():
        depth = f"depth {setup.depth}"
        for cell in own:
            for one in sorted(cell.search, key=lambda trial: (trial.learning_rate, trial.seed)):
                best = one.learning_rate == cell.learning_rate
                rows.append(
                    {
                        "initializer": cell.initializer,
                        "activation": setup.activation,
                        "setup": ", ".join(filter(None, (depth, words[setup]))),
                        "seed": one.seed,
                        "learning_rate": one.learning_rate,
                        "status": one.status,
                        "test_accuracy": one.test_accuracy,
                        "best": best,
                        "at_edge": best and cell.at_edge,
                    }
                )
    return with_good_ranges(pd.DataFrame(rows))
