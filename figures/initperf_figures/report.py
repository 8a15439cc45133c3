"""Writer of reports: one page, every figure as SVG and PNG, every table as CSV and Parquet."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow
from pyarrow import csv

from initperf_figures._directory import check_directory, replacing_directory
from initperf_figures._drawing import drawing
from initperf_figures._figure import FIGURES, SECTIONS, ReportFigure, check_comparable, plain
from initperf_figures._page import Drawn, page
from initperf_figures._panels import SETUP, panelled, setups_of
from initperf_figures.recommendation import recommend

__all__ = ["check_directory", "write_report"]

Progress = Callable[[int, int, str], None]


def write_report(
    tables: Mapping[str, pd.DataFrame],
    directory: Path,
    *,
    title: str = "Which initializer for which activation?",
    commands: Sequence[str] = (),
    progress: Progress | None = None,
) -> Path:
    """Write a report of measurements to a directory.

    The directory appears, or is replaced, at the very end: an error or Ctrl-C before that leaves
    it unchanged. Several processes draw the figures, at most ``INITPERF_NUM_THREADS``; their
    number does not change the files.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        The measurements; a figure whose tables are missing or empty is left out, and the page
        says so.
    directory : pathlib.Path
        Where the report goes: missing, empty, or an earlier report, which it replaces.
    title : str
        The page's heading.
    commands : sequence of str
        Command lines that made the tables, printed at the foot of the page.
    progress : callable, optional
        Called as ``progress(done, total, label)`` before each step.

    Returns
    -------
    pathlib.Path
        The page, ``directory / "index.html"``.

    Raises
    ------
    UsageError
        When `directory` holds anything but a report, or cannot be written.
    ValueError
        When runs are not comparable, such as runs on different data, or when the name of a table
        is not a file name.
    """
    tables = _prepare(tables)
    numbers = plain(panelled(tables))
    figures = sorted(
        FIGURES.values(),
        key=lambda figure: (SECTIONS.index(figure.section), figure.order, figure.name),
    )
    lacking = {figure: figure.missing(numbers) for figure in figures}
    drawable = [figure for figure in figures if not lacking[figure]]
    left_out = {figure.title: names for figure, names in lacking.items() if names}
    # By number of rows, as an estimate of time: no process then draws a slow figure at the end.
    rows = {name: len(table) for name, table in tables.items()}
    slowest_first = sorted(drawable, key=lambda figure: -sum(rows[name] for name in figure.needs))
    files: dict[ReportFigure, tuple[str, bytes]] = {}
    total = len(drawable) + len(tables) + 1
    step = progress if progress is not None else _silent
    with replacing_directory(Path(directory)) as fresh:
        for name in ("figures", "tables"):
            (fresh / name).mkdir()
        with drawing(slowest_first, numbers) as results:
            for done, (name, table) in enumerate(tables.items()):
                step(done, total, f"table {name}")
                _write_table(table, fresh / "tables" / name)
            for done, figure in enumerate(slowest_first, start=len(tables)):
                step(done, total, f"figure {figure.name}")
                files[figure] = svg, png = next(results)
                (fresh / "figures" / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
                (fresh / "figures" / f"{figure.name}.png").write_bytes(png)
        drawn = [Drawn(figure, figure.describe(numbers), *files[figure]) for figure in drawable]
        step(total - 1, total, "page")
        html = page(title, tables, drawn, left_out, commands)
        (fresh / "index.html").write_text(html, encoding="utf-8")
    return Path(directory) / "index.html"


def _prepare(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Check the tables, convert columns that Parquet cannot hold, and add the recommendation."""
    prepared = {}
    for name, table in tables.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(f"a table's name must do as a file name; got {name!r}")
        mixed = [
            column
            for column in table
            if pd.api.types.infer_dtype(table[column], skipna=True).startswith("mixed")
        ]
        prepared[name] = table.astype(dict.fromkeys(mixed, str)).reset_index(drop=True)
    if "runs" in prepared and not prepared["runs"].empty:
        prepared["recommendation"] = _recommendation(prepared)
    return prepared


def _recommendation(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the ranking of each setup's runs, under each other.

    Raises
    ------
    ValueError
        When runs on different data are among them, or those of a setup are not comparable.
    """
    runs, epochs = tables["runs"], tables.get("epochs")
    check_comparable(panelled({"runs": runs})["runs"])
    if SETUP not in runs:
        return recommend(runs, epochs)
    found = []
    for setup in setups_of(runs):
        own = runs[runs[SETUP] == setup]
        passed = None if epochs is None else epochs[epochs["run"].isin(own["run"])]
        found.append(recommend(own, passed).assign(setup=setup))
    return pd.concat(found, ignore_index=True)


def _write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, and as CSV by Arrow, which takes a tenth of pandas's time."""
    table.to_parquet(path.with_suffix(".parquet"), index=False, engine="pyarrow")
    categories = table.select_dtypes("category").columns
    values = {name: table[name].cat.categories.dtype for name in categories}
    arrow = pyarrow.Table.from_pandas(table.astype(values), preserve_index=False)
    csv.write_csv(arrow, str(path.with_suffix(".csv")))


def _silent(_done: int, _total: int, _label: str) -> None:
    """Report no progress."""
