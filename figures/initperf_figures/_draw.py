"""Figures from Python: ``initperf_figures.draw``."""

from collections.abc import Iterable

from matplotlib.figure import Figure

from initperf.errors import UsageError
from initperf_figures._figure import FIGURES, plain
from initperf_figures._panels import panelled
from initperf_figures._sources import Drawable, selected, tables_of
from initperf_figures._style import SIZES


def draw(
    name: str,
    source: Drawable,
    *,
    size: str | float = "page",
    initializers: Iterable[str] | None = None,
    activations: Iterable[str] | None = None,
) -> Figure:
    """Draw a figure of the report from tables, runs, a store of runs or initializers.

    Parameters
    ----------
    name : str
        One of `FIGURES`.
    source : object
        Tables by name, the directory of a report, a run or several, a `RunStore`, or initializers
        or their names.
    size : str or float
        One of `initperf_figures.SIZES`, or a width in inches.
    initializers, activations : iterable of str, optional
        What to show of the source; all by default.

    Returns
    -------
    matplotlib.figure.Figure
        It shows itself at the end of a notebook cell; ``savefig`` writes it to a file.

    Raises
    ------
    UsageError
        When the source lacks tables that the figure needs; the message says which figures can be
        drawn from it.
    ValueError
        For an unknown name or size, and runs that are not comparable.

    Examples
    --------
    >>> from initperf_figures import draw
    >>> draw("weight_histograms", ["he_normal", "orthogonal"], size="two_columns").axes[0].axison
    True
    """
    figure = FIGURES[name]
    inches = _inches(size)
    tables = plain(panelled(selected(tables_of(source, figure.needs), initializers, activations)))
    if lacking := figure.missing(tables):
        possible = [other for other, one in FIGURES.items() if not one.missing(tables)]
        raise UsageError(
            f"{figure.name} needs {', '.join(lacking)}, which this source lacks; it can be drawn "
            f"as {', '.join(possible) or 'none of the figures'}"
        )
    return figure.render(tables, inches)


def _inches(size: str | float) -> float:
    if isinstance(size, str):
        if size not in SIZES:
            raise ValueError(f"size must be a width in inches or {', '.join(SIZES)}, not {size!r}")
        return SIZES[size]
    if not 2.0 <= size <= 50.0:
        raise ValueError(f"size must be from 2 to 50 inches, not {size!r}")
    return float(size)
