"""Until which depth rules learn and at which rates, of a report's runs or of shipped ones."""

import math
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from initperf.report.trainability.cells import Cell, Setup, cells_of
from initperf.report.trainability.evidence import Trial, trials_of
from initperf.report.trainability.limits import Limit, limits_of
from initperf.report.trainability.trial_files import shipped
from initperf.training.run import Run

if TYPE_CHECKING:
    import pandas as pd

FEWEST_DEPTHS = 3
"""Depths that must have been tried for a limit to be told."""


def sensitivity_table(runs: Iterable[Run]) -> "pd.DataFrame":
    """Return until which depth rules learn, and the range of their good learning rates.

    Parameters
    ----------
    runs : iterable of Run
        Of a report, those of its search of learning rates included. Where they have fewer than
        `FEWEST_DEPTHS` depths of equal layers, the runs that are part of the package tell, of
        the same activations and optimizers.

    Returns
    -------
    pandas.DataFrame
        A row a rule and activation: ``activation``, ``initializer``; ``learns_until``, ``low``,
        ``high``, ``bound`` and ``seeds`` as of `limits_table`; ``rate_depth``, the depth nearest
        to the deepest of the runs at which rates were searched, and there ``good_low``,
        ``good_high``, ``good_decades`` and ``good_open`` of `GoodRange`, NaN where none is known;
        and ``source``, in words.
    """
    import pandas as pd

    given = list(runs)
    rows = _rows(trials_of(given), given, "these runs")
    if not rows:
        evidence = shipped()
        activations = {one.experiment.activation for one in given}
        optimizers = {one.experiment.flat()["optimizer"] for one in given}
        fitting = _fitting(evidence.trials, activations, optimizers)
        rows = _rows(fitting, given, f"runs of {evidence.origin.get('made', '')} in the package")
    return pd.DataFrame(rows)


def _fitting(
    trials: Iterable[Trial], activations: Collection[str], optimizers: Collection[str]
) -> list[Trial]:
    return [one for one in trials if one.activation in activations and one.optimizer in optimizers]


def _rows(trials: Iterable[Trial], runs: Iterable[Run], source: str) -> list[dict[str, Any]]:
    """Return the rows of trials.

    Parameters
    ----------
    trials : iterable of Trial
    runs : iterable of Run
        Those of the report, whose depth the rates shall be near to.
    source : str
    """
    cells = cells_of(trials)
    depth = max((len(one.experiment.hidden) for one in runs), default=1)
    return [
        {
            "activation": one.setup.activation,
            "initializer": one.initializer,
            "learns_until": one.limit.depth,
            "low": one.limit.low,
            "high": one.limit.high,
            "bound": one.limit.bound,
            "seeds": one.limit.seeds,
            **_good(cells, one, depth),
            "source": f"{source}: {one.setup.words()}, depths {one.depths[0]} to {one.depths[-1]}",
        }
        for one in limits_of(cells)
        if len(one.depths) >= FEWEST_DEPTHS
    ]


def _good(cells: dict[Setup, list[Cell]], limit: Limit, depth: int) -> dict[str, Any]:
    """Return the range of good rates of a rule, at the depth nearest to one.

    Parameters
    ----------
    cells : dict
        See `cells_of`.
    limit : Limit
        Tells rule and setups.
    depth : int
    """
    searched = {
        setup.depth: cell
        for setup, own in cells.items()
        if setup.family() == limit.setup.family()
        for cell in own
        if cell.initializer == limit.initializer and len(cell.search) > 1
    }
    none = math.nan
    found = {"rate_depth": none, "good_low": none, "good_high": none, "good_decades": none}
    found |= {"good_open": False}
    if not searched:
        return found
    nearest = min(searched, key=lambda one: abs(math.log(one / max(depth, 1))))
    found["rate_depth"] = nearest
    good = searched[nearest].good()
    if good is not None:
        found |= {"good_low": good.low, "good_high": good.high, "good_decades": good.decades}
        found["good_open"] = good.is_open
    return found
