"""Tables of a report from what is on disk: another report's tables, or a store of runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initperf.errors import DataError
from initperf.report.rate_search import with_good_ranges
from initperf.report.sensitivity import FEWEST_DEPTHS, sensitivity_table
from initperf.report.stored_gradients import Gradients
from initperf.report.trainability.cells import cells_of
from initperf.report.trainability.evidence import trials_of
from initperf.report.trainability.limits import limits_of, limits_table
from initperf.training.experiment import Experiment
from initperf.training.map_tables import map_table, of_maps
from initperf.training.run import Run
from initperf.training.run_tables import tables_of
from initperf.training.setups import name_setups
from initperf.training.store import RunStore

if TYPE_CHECKING:
    import pandas as pd

_RATE = "learning_rate"


def stored_tables(
    directory: Path,
    initializers: Iterable[str] = (),
    activations: Iterable[str] = (),
    gradients: Gradients | None = None,
) -> "dict[str, pd.DataFrame]":
    """Return the tables of a report, or of runs, that a directory holds.

    Parameters
    ----------
    directory : pathlib.Path
        A report, with its tables as Parquet, or a store of runs.
    initializers, activations : iterable of str
        Names of what to keep; none for all.
    gradients : Gradients, optional
        How the loss along the first gradients of runs is measured; by default it is not.

    Returns
    -------
    dict of str to pandas.DataFrame
        Of runs with several learning rates, each rule's runs at the best of its rates, and the
        table ``"rates"``.

    Raises
    ------
    DataError
        When the directory holds neither, or nothing of what to keep, or cannot be read.
    """
    if not directory.is_dir():
        raise DataError(f"there is no directory {directory}")
    wanted = {"initializer": set(initializers), "activation": set(activations)}
    files = sorted(directory.glob("tables/*.parquet"))
    if files:
        tables = {path.stem: _table(path) for path in files}
        tables.pop("recommendation", None)
        return _kept(tables, wanted, directory)
    store = RunStore(directory)
    runs = [store.load(name) for name in store]
    runs = [
        run
        for run in runs
        if all(getattr(run.experiment, field) in names for field, names in wanted.items() if names)
    ]
    if not runs:
        raise DataError(f"{directory} holds neither the tables of a report nor such runs")
    mapped = of_maps(run.experiment for run in runs)
    found: dict[str, pd.DataFrame] = {}
    if mapped:
        found["trainability"] = map_table(run for run in runs if run.experiment in mapped)
    if others := [run for run in runs if run.experiment not in mapped]:
        found |= _of_runs(others, gradients) | _limits(others)
    return found


def _limits(runs: list[Run]) -> "dict[str, pd.DataFrame]":
    """Return until which depth rules learn, and how sensitive to the rate they are."""
    several = [
        one for one in limits_of(cells_of(trials_of(runs))) if len(one.depths) >= FEWEST_DEPTHS
    ]
    known = sensitivity_table(runs)
    found = {} if known.empty else {"sensitivity": known}
    return found | ({"depth_limits": limits_table(several)} if several else {})


def _table(path: Path) -> "pd.DataFrame":
    """Read a table; raise DataError for a damaged file."""
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: damaged: {reason}") from None


def _kept(
    tables: "dict[str, pd.DataFrame]", wanted: dict[str, set[str]], directory: Path
) -> "dict[str, pd.DataFrame]":
    """Return the rows of tables that are wanted, and those of the runs that are."""
    for column, names in wanted.items():
        for name, table in tables.items():
            if names and column in table:
                tables[name] = table[table[column].isin(names)]
    if "runs" in tables:
        if tables["runs"].empty:
            raise DataError(f"{directory} holds no such runs")
        for name in ("steps", "epochs", "layers", "histograms"):
            if name in tables:
                table = tables[name]
                tables[name] = table[table["run"].isin(tables["runs"]["run"])]
    return tables


def _of_runs(runs: list[Run], gradients: Gradients | None) -> "dict[str, pd.DataFrame]":
    """Return the tables of runs, each rule's at the best of its learning rates.

    Parameters
    ----------
    runs : list of Run
    gradients : Gradients or None
    """
    import pandas as pd

    rules: dict[frozenset[Any], dict[float, list[Run]]] = {}
    for run in runs:
        flat = run.experiment.flat()
        rule = frozenset(flat.items()) - {(name, flat[name]) for name in ("seed", _RATE)}
        rules.setdefault(rule, {}).setdefault(flat[_RATE], []).append(run)
    if all(len(rates) == 1 for rates in rules.values()):
        return _shown(runs, [], gradients)
    setups = name_setups((run.experiment for run in runs), besides=[_RATE])
    rows, best = [], []
    for rates in rules.values():
        ordered = sorted(rates, key=lambda rate: _goodness(rates[rate]))
        best += rates[ordered[0]]
        levels = {_accuracy(own) for own in rates.values()}
        ends = (min(rates), max(rates)) if len(levels) > 1 else ()
        rows += [
            _row(rates[rate], setups, best=place == 0, ends=ends)
            for place, rate in enumerate(ordered)
        ]
    tables = _shown(best, [_RATE], gradients)
    tables["runs"] = tables["runs"].rename(columns={_RATE: f"best_{_RATE}"})
    order = ["initializer", "activation", "setup", _RATE]
    rates_found = pd.DataFrame(rows).sort_values(order, ignore_index=True)
    return tables | {"rates": with_good_ranges(rates_found)}


def _shown(
    runs: list[Run], besides: list[str], gradients: Gradients | None
) -> "dict[str, pd.DataFrame]":
    """Return the tables of the runs that are shown, and the loss along their first gradients.

    Parameters
    ----------
    runs : list of Run
    besides : list of str
        Settings that differ without making another setup.
    gradients : Gradients or None
    """
    measured = {} if gradients is None else gradients.tables(runs, besides)
    return tables_of(runs, besides) | measured


def _row(
    runs: list[Run], setups: dict[Experiment, str], best: bool, ends: tuple[float, ...]
) -> dict[str, Any]:
    """Return the row of a rate in the table of rates.

    Parameters
    ----------
    runs : list of Run
        Of one rule and rate, of any seeds.
    setups : dict of Experiment to str
    best : bool
        Whether the rate is the rule's best.
    ends : tuple of float
        The smallest and the largest rate of several that differ.
    """
    one = runs[0].experiment
    return {
        "initializer": one.initializer,
        "activation": one.activation,
        "setup": setups[one],
        "seeds": len(runs),
        _RATE: one.learning_rate,
        "status": "diverged" if any(run.status == "diverged" for run in runs) else "finished",
        "test_accuracy": _accuracy(runs),
        "best": best,
        "at_edge": best and one.learning_rate in ends,
    }


def _accuracy(runs: list[Run]) -> float:
    return float(np.mean([run.test_accuracy for run in runs]))


def _goodness(runs: list[Run]) -> tuple[int, float, float]:
    """Return a key that sorts rates from the best: fewest diverged, most accurate, smallest."""
    lost = sum(run.status == "diverged" for run in runs)
    return lost, -_accuracy(runs), runs[0].experiment.learning_rate
