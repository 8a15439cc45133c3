"""PDF file of a report: a page a figure, with its title, its finding and its caption."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_pdf import PdfPages

from initperf_figures._embedding import without_layout_tables
from initperf_figures._figure import ReportFigure, Tables
from initperf_figures._renderers import UNDATED
from initperf_figures._style import INK, MUTED, look, settle

_LINE = 0.19  # inches from one line of text to the next
_COLUMNS = 120  # characters of a line


def write_book(figures: Sequence[ReportFigure], tables: Tables, title: str, path: Path) -> None:
    """Write the figures to a PDF file, the same for the same data.

    Parameters
    ----------
    figures : sequence of ReportFigure
    tables : mapping of str to pandas.DataFrame
        All tables that the figures need.
    title : str
        Title of the document.
    path : pathlib.Path
        The file.
    """
    with (
        look(),
        without_layout_tables(),
        PdfPages(path, metadata=UNDATED | {"Title": title}) as pages,
    ):
        for figure in figures:
            drawn = figure.render(tables)
            settle(drawn)
            drawn.set_layout_engine("none")
            height = drawn.get_size_inches()[1]
            lines = [
                (figure.title, {"fontsize": 12, "fontweight": "bold", "color": INK}),
                *((line, {"color": INK}) for line in _wrapped(figure.find(tables))),
                *((line, {"color": MUTED}) for line in _wrapped(figure.describe(tables))),
            ]
            for place, (words, style) in enumerate(reversed(lines)):
                above = 1 + (0.25 + _LINE * place) / height
                drawn.text(0.005, above, words, va="bottom", **style)  # type: ignore[arg-type]  # a dict of colours
            pages.savefig(drawn, bbox_inches="tight", pad_inches=0.4)


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, _COLUMNS)
