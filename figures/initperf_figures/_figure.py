"""Catalogue of figures: title, caption, tables needed and drawing function of each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from initperf._core.registry import Registry
from initperf_figures._axes import spell_powers
from initperf_figures._style import look

Tables = Mapping[str, pd.DataFrame]

WORKLOAD = "workload"
"""Column of the table ``speed`` with the name of the workload."""

SECTIONS = (
    "weights",
    "signal",
    "training",
    "symmetry",
    "maps",
    "claims",
    "speed",
    "more",
)

# Columns of the table of runs that may differ between runs that are compared: what a report
# compares, what gives the same results, the rule's own rate where each was searched, and results.
# All others are settings.
_FREE = {
    "best_learning_rate",
    *("run", "initializer", "activation", "seed", "backend", "status", "diverged_step"),
    *("test_accuracy", "test_r2", "final_loss", "train_seconds", "compile_seconds", "steps"),
}


@dataclass(frozen=True)
class ReportFigure:
    """A figure of the report.

    Attributes
    ----------
    name : str
        Name of its files and anchor: lower-case letters, digits and underscores.
    title : str
        Heading.
    caption : str or callable
        What to see in it, in one to three plain sentences, or a function of the tables that
        returns them.
    needs : tuple of str
        Tables it is drawn from. It is left out of a report that lacks one of them.
    draw : callable
        Function of these tables that returns the figure.
    section : str
        Section of the page, one of SECTIONS.
    order : int
        Place in the section, from the smallest; figures of equal order are sorted by name.
    printed : tuple of str
        Tables, among those it needs, whose rows the page prints below it.
    wants : callable, optional
        Function of the tables, all present, that returns in words what else is missing; nothing if
        the figure can be drawn.
    finding : callable, optional
        Function of the tables that returns what they show, in one sentence.
    numbers : callable, optional
        Function of the tables that returns a small table, which the page prints below the figure.
    """

    name: str
    title: str
    caption: str | Callable[[Tables], str]
    needs: tuple[str, ...]
    draw: Callable[[Tables], Figure]
    section: str = "more"
    order: int = 50
    printed: tuple[str, ...] = ()
    wants: Callable[[Tables], str] | None = None
    finding: Callable[[Tables], str] | None = None
    numbers: Callable[[Tables], pd.DataFrame] | None = None

    def missing(self, tables: Tables) -> list[str]:
        """Return the needed tables that are absent or empty, or else what the tables lack."""
        lacking = [name for name in self.needs if name not in tables or tables[name].empty]
        if self.wants is not None and not lacking and (words := self.wants(tables)):
            return [words]
        return lacking

    def render(self, tables: Tables, inches: float | None = None) -> Figure:
        """Draw the figure in the report's style.

        Parameters
        ----------
        tables : mapping of str to pandas.DataFrame
            At least those that it needs.
        inches : float, optional
            Width of the figure; by default the page's.

        Raises
        ------
        ValueError
            When runs that it compares are not comparable.
        """
        if "runs" in self.needs:
            check_comparable(tables["runs"])
        with look(inches):
            figure = self.draw(plain({name: tables[name] for name in self.needs}))
            spell_powers(figure)
            return figure

    def find(self, tables: Tables) -> str:
        """Return what the tables show, in one sentence, or nothing where the figure says none."""
        return "" if self.finding is None else self.finding(plain(tables))

    def count(self, tables: Tables) -> pd.DataFrame | None:
        """Return the small table of the figure's numbers, or None where it has none."""
        return None if self.numbers is None else self.numbers(plain(tables))

    def describe(self, tables: Tables) -> str:
        """Return the caption."""
        return self.caption if isinstance(self.caption, str) else self.caption(plain(tables))


def plain(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return the tables with pandas' nullable floats as float64: a missing value is NaN."""
    return {name: _plain(table) for name, table in tables.items()}


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    nullable = [
        column
        for column, dtype in table.dtypes.items()
        if isinstance(dtype, pd.Float64Dtype | pd.Float32Dtype)
    ]
    if not nullable:
        return table.copy(deep=False)  # pandas would convert column after column to what it is
    return table.astype(dict.fromkeys(nullable, "float64"))


FIGURES: Registry[ReportFigure] = Registry("figure", plugins="initperf.figures")


def register(
    name: str,
    *,
    title: str,
    caption: str | Callable[[Tables], str],
    needs: tuple[str, ...],
    draw: Callable[[Tables], Figure],
    section: str = "more",
    order: int = 50,
    printed: tuple[str, ...] = (),
    wants: Callable[[Tables], str] | None = None,
    finding: Callable[[Tables], str] | None = None,
    numbers: Callable[[Tables], pd.DataFrame] | None = None,
) -> ReportFigure:
    """Add a figure to the report; every figure's file ends with this call.

    It has a keyword for each field of `ReportFigure`, so that the file of a figure names them all.

    Parameters
    ----------
    name, title, caption, needs, draw, section, order, printed, wants, finding, numbers
        Fields of `ReportFigure`.

    Raises
    ------
    ValueError
        When the name is not a file name and anchor, or is taken, or the section is unknown.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"a figure's name is lower case letters, digits and _; got {name!r}")
    if section not in SECTIONS:
        raise ValueError(f"unknown section {section!r}; there are {', '.join(SECTIONS)}")
    figure = ReportFigure(
        name, title, caption, needs, draw, section, order, printed, wants, finding, numbers
    )
    return FIGURES.register(name, figure)


def lacks_accuracy(name: str, tables: Tables) -> str:
    """Return what a table of runs without an accuracy lacks, for ``wants`` of a figure.

    Parameters
    ----------
    name : str
        Name of the table, ``"runs"`` or ``"rates"``.
    tables : mapping of str to pandas.DataFrame
    """
    if tables[name]["test_accuracy"].notna().any():
        return ""
    return "runs with an accuracy, which those of a regression do not have"


def check_comparable(runs: pd.DataFrame) -> None:
    """Refuse to compare runs that differ in more than initializer, activation and seed.

    All runs must have seen the same data; the runs of one activation must also share the network
    and every setting of the training.

    Raises
    ------
    ValueError
        Naming the dataset digests, or the setting and its values.
    """
    digests = sorted(map(str, runs["dataset_digest"].unique()))
    if len(digests) > 1:
        raise ValueError(
            f"these runs saw different data (dataset digests {', '.join(digests)}) and cannot be "
            "compared; make one report for each"
        )
    for activation, group in runs.groupby("activation"):
        for setting in (name for name in group if name not in _FREE):
            values = sorted(map(str, group[setting].unique()))
            if len(values) > 1:
                raise ValueError(
                    f"runs with {activation} differ in {setting} ({', '.join(values)}) and cannot "
                    "be compared; make one report for each"
                )
