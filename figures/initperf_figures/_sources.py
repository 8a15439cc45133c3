"""Tables of what figures can be drawn from: reports on disk, runs, stores and initializers."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from initperf._core.registry import UnknownNameError
from initperf.errors import UsageError

Drawable = Any
"""Tables by name, the directory of a report or of Parquet files, a run or several, a store of
runs, an initializer or its name, or several."""


def tables_of(source: Drawable, needs: Iterable[str] = ()) -> dict[str, pd.DataFrame]:
    """Return the tables of a source of figures.

    Parameters
    ----------
    source : object
        Any of `Drawable`.
    needs : iterable of str
        Tables that are wanted of runs although runs must compute them: ``"descent"``.

    Raises
    ------
    UsageError
        For a directory without tables, an empty source and anything else.
    """
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, os.PathLike):
        return _read(Path(source))
    if isinstance(source, str) and (os.sep in source or Path(source).is_dir()):
        return _read(Path(source))
    if hasattr(source, "load"):
        source = [source.load(name) for name in source]
    items = [source] if _is_single(source) else list(source)
    if items and all(hasattr(item, "tables") for item in items):
        found: dict[str, pd.DataFrame] = items[0].tables(*items[1:])
        if "descent" in needs:
            found["descent"] = items[0].descents(*items[1:])
        return found
    if items and all(_is_rule(item) for item in items):
        return _weights(items)
    raise UsageError(
        "figures are drawn from tables by name, the directory of a report, runs, a store of runs "
        f"or initializers, not {_kinds(items)}"
    )


def _is_single(source: Any) -> bool:
    return isinstance(source, str) or not isinstance(source, Iterable)


def _kinds(items: list[Any]) -> str:
    return ", ".join(sorted({type(item).__name__ for item in items})) or "an empty source"


def _is_rule(item: Any) -> bool:
    from initperf.initializers import Initializer

    return isinstance(item, str | Initializer)


def _weights(rules: list[Any]) -> dict[str, pd.DataFrame]:
    from initperf.initializers import bounds_table, weights_tables

    try:
        return {**weights_tables(rules), "bounds": bounds_table(rules)}
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}; nor is there a directory of that name") from None


def _read(directory: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of a report, or of a directory that holds Parquet files itself."""
    files = sorted(directory.glob("tables/*.parquet")) or sorted(directory.glob("*.parquet"))
    if not files:
        raise UsageError(
            f"{directory} holds no tables; runs are drawn from initperf.training.store."
            "RunStore(directory)"
        )
    return {path.stem: pd.read_parquet(path) for path in files}


def selected(
    tables: Mapping[str, pd.DataFrame],
    initializers: Iterable[str] | None = None,
    activations: Iterable[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the rows of some initializers and activations, and of their runs.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    initializers, activations : iterable of str, optional
        Names to keep; all by default.

    Raises
    ------
    UsageError
        For a name that none of the tables has.
    """
    kept = dict(tables)
    for column, names in (("initializer", initializers), ("activation", activations)):
        if names is None:
            continue
        wanted = {names} if isinstance(names, str) else set(names)
        known: set[str] = set()
        for name, table in kept.items():
            if column in table:
                known |= set(table[column])
                kept[name] = table[table[column].isin(wanted)]
        if missing := wanted - known:
            raise UsageError(
                f"no {column} {', '.join(sorted(missing))} here; there are "
                f"{', '.join(sorted(known)) or 'none'}"
            )
    if "runs" in kept:
        runs = set(kept["runs"]["run"])
        for name in ("steps", "epochs", "layers", "histograms"):
            if name in kept:
                kept[name] = kept[name][kept[name]["run"].isin(runs)]
    return kept
