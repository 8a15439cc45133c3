"""Writer of reports: one page, every figure as SVG and PNG, every table as CSV and Parquet."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import csv

from initperf.errors import UsageError
from initperf_figures._book import write_book
from initperf_figures._directory import check_directory as check_replaceable
from initperf_figures._directory import replacing_directory
from initperf_figures._drawing import drawn, processes
from initperf_figures._figure import FIGURES, SECTIONS, ReportFigure, check_comparable, plain
from initperf_figures._own import import_figures
from initperf_figures._page import Drawn, lacking, page
from initperf_figures._panels import SETUP, panelled, setups_of
from initperf_figures._process import Process
from initperf_figures._svg import Files
from initperf_figures.recommendation import recommend

__all__ = ["check_directory", "write_report"]

_LOG = logging.getLogger("initperf_figures.report")

Progress = Callable[[int, int, str], None]


def check_directory(
    directory: Path, only: Sequence[str] = (), own: Path | None = None
) -> frozenset[str]:
    """Check that a report of some figures can be written, before anything is measured.

    Parameters
    ----------
    directory : pathlib.Path
        Where the report goes.
    only : sequence of str
        Names of figures; none for all.
    own : pathlib.Path, optional
        Directory of figure files, which are imported.

    Returns
    -------
    frozenset of str
        Tables that the figures need.

    Raises
    ------
    UsageError
        When the directory holds anything but a report, and when a figure file cannot be imported.
    ValueError
        For a name that no figure has.
    """
    check_replaceable(directory)
    if own is not None:
        import_figures(own)
    return frozenset(name for figure in _chosen(only) for name in figure.needs)


def write_report(
    tables: Mapping[str, pd.DataFrame],
    directory: Path,
    *,
    title: str = "Which initializer for which activation?",
    commands: Sequence[str] = (),
    only: Sequence[str] = (),
    kind: str = "html",
    place: str = "report",
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
    only : sequence of str
        Names of the figures to draw; none for all. The log has a warning for each that is left
        out, which without a handler goes to standard error.
    kind : str
        ``"html"``, a page with every figure as SVG, PNG and PDF; ``"pdf"``, one document with a
        page a figure; or ``"png"``, an image of each figure. All come with the tables.
    place : str
        Path of the directory in the commands that draw a figure again.
    progress : callable, optional
        Called as ``progress(done, total, label)`` before each step.

    Returns
    -------
    pathlib.Path
        The page, ``directory / "index.html"``; or ``report.pdf``, or the directory of images.

    Raises
    ------
    UsageError
        When `directory` holds anything but a report, or cannot be written, and when there is
        nothing to draw of what `only` names.
    ValueError
        When runs are not comparable, such as runs on different data, when the name of a table
        is not a file name, and for an unknown figure or format.
    """
    if kind not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {kind!r}")
    step = progress if progress is not None else _silent
    with processes(0 if kind == "pdf" else _measured(only, tables)) as helpers:
        tables = _prepare(tables)  # while they start
        numbers = plain(panelled(tables))
        drawable, left_out = _drawable(only, numbers)
        with replacing_directory(Path(directory)) as fresh:
            if kind == "pdf":
                _write_tables(tables, fresh, step, len(tables) + 1)
                step(len(tables), len(tables) + 1, "document")
                write_book(drawable, numbers, title, fresh / FORMATS[kind])
                return Path(directory) / FORMATS[kind]
            total = len(drawable) + len(tables) + 1
            _write_tables(tables, fresh, step, total)
            found = _draw(drawable, numbers, helpers, fresh, step, total)
            step(total - 1, total, "page")
            if kind == "html":
                html = page(title, tables, found, left_out, commands, place)
                (fresh / "index.html").write_text(html, encoding="utf-8")
            else:
                for path in [*fresh.glob("figures/*.svg"), *fresh.glob("figures/*.pdf")]:
                    path.unlink()
    return Path(directory) / FORMATS[kind]


FORMATS = {"html": "index.html", "pdf": "report.pdf", "png": "figures"}
"""What each format of a report begins with, in its directory."""


def _tell(gaps: Mapping[ReportFigure, Sequence[str]]) -> None:
    """Log which figures are left out, and what each lacks."""
    for figure, names in gaps.items():
        if names:
            wanted = ", ".join(map(lacking, names))
            _LOG.warning("initperf report: %s is not drawn; missing: %s", figure.name, wanted)


def _drawable(
    only: Sequence[str], numbers: Mapping[str, pd.DataFrame]
) -> tuple[list[ReportFigure], dict[str, list[str]]]:
    """Return the figures to draw, in the order of the page, and what the others lack, by title.

    Parameters
    ----------
    only : sequence of str
        Names of figures; none for all.
    numbers : mapping of str to pandas.DataFrame
        Tables as figures take them.

    Raises
    ------
    UsageError
        When nothing can be drawn of what `only` names.
    """
    figures = sorted(
        _chosen(only),
        key=lambda figure: (SECTIONS.index(figure.section), figure.order, figure.name),
    )
    gaps = {figure: figure.missing(numbers) for figure in figures}
    drawable = [figure for figure in figures if not gaps[figure]]
    left_out = {figure.title: names for figure, names in gaps.items() if names}
    if only and not drawable:
        missing = ", ".join(name for names in left_out.values() for name in names)
        raise UsageError(f"nothing can be drawn of {', '.join(only)}; missing: {missing}")
    if only:
        _tell(gaps)
    return drawable, left_out


def _measured(only: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> int:
    """Return how many of the chosen figures have rows in all of their tables.

    Parameters
    ----------
    only : sequence of str
        Names of figures; none for all.
    tables : mapping of str to pandas.DataFrame
    """
    rows = {name: len(table) for name, table in tables.items()}
    return sum(all(rows.get(name) for name in figure.needs) for figure in _chosen(only))


def _chosen(only: Sequence[str]) -> list[ReportFigure]:
    if not only:
        return list(FIGURES.values())
    return list({FIGURES.canonical(name): FIGURES[name] for name in only}.values())


def _draw(
    figures: Sequence[ReportFigure],
    numbers: Mapping[str, pd.DataFrame],
    helpers: Sequence[Process],
    fresh: Path,
    step: Progress,
    total: int,
) -> list[Drawn]:
    """Draw the figures, write their files, and return them with their words.

    Parameters
    ----------
    figures : sequence of ReportFigure
        In the order of the page.
    numbers : mapping of str to pandas.DataFrame
        Tables as figures take them.
    helpers : sequence of Process
        Processes that draw, too.
    fresh : pathlib.Path
        The directory.
    step : callable
        Called as ``step(done, total, label)`` before each file.
    total : int
    """
    # By number of rows, as an estimate of time: no process then draws a slow figure at the end.
    rows = {name: len(table) for name, table in numbers.items()}
    slowest_first = sorted(figures, key=lambda figure: -sum(rows[name] for name in figure.needs))
    files: dict[ReportFigure, Files] = {}
    (fresh / "figures").mkdir()
    begin = total - 1 - len(figures)
    for done, (figure, found) in enumerate(drawn(slowest_first, numbers, helpers), start=begin):
        step(done, total, f"figure {figure.name}")
        files[figure] = found
        path = fresh / "figures" / figure.name
        path.with_suffix(".svg").write_text(found.svg, encoding="utf-8")
        path.with_suffix(".png").write_bytes(found.png)
        path.with_suffix(".pdf").write_bytes(found.pdf)
    return [
        Drawn(
            figure,
            figure.find(numbers),
            figure.describe(numbers),
            figure.count(numbers),
            files[figure],
        )
        for figure in figures
    ]


def _write_tables(
    tables: Mapping[str, pd.DataFrame], fresh: Path, step: Progress, total: int
) -> None:
    (fresh / "tables").mkdir()
    for done, (name, table) in enumerate(tables.items()):
        step(done, total, f"table {name}")
        _write_table(table, fresh / "tables" / name)


def _prepare(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Check the tables, convert columns that Parquet cannot hold, and add the recommendation."""
    prepared = {}
    for name, table in tables.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(f"a table's name must do as a file name; got {name!r}")
        mixed = [
            column
            for column, dtype in table.dtypes.items()
            if isinstance(dtype, np.dtypes.ObjectDType)
            and pd.api.types.infer_dtype(table[column], skipna=True).startswith("mixed")
        ]
        prepared[name] = table.astype(dict.fromkeys(mixed, str)).reset_index(drop=True)
    if "runs" in prepared and prepared["runs"]["test_accuracy"].notna().any():
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
