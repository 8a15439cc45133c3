"""Lines of a quantity of the layers by training step, with a panel for each activation."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from initperf_figures._axes import (
    activation_name,
    activations_of,
    end_labels,
    magnitude,
    power,
)
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._style import INK, across, canvas, in_order, strokes

_AROUND = 0.75  # inches of a panel's height for its title and the text below
_POINTS = 120  # of a line, each the mean of several steps
_MOST = [0.1, 0.9]  # quantiles of the values, between which a logarithmic axis shows all
_RULE = ["activation", "initializer"]


def over_layers(tables: Tables, column: str) -> pd.Series:
    """Return a column of the table of layers by activation, initializer and step.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        With ``runs`` and ``layers``.
    column : str

    Returns
    -------
    pandas.Series
        Medians over layers and seeds, and means over neighbouring steps where there are many.
        Where a value is not finite, the run has diverged, and its line ends.
    """
    table = with_rules(tables, "layers")
    table = table[np.isfinite(table[column].to_numpy(float))]
    each = max(1, -(-int(tables["layers"]["step"].max()) // _POINTS))
    middle = table.groupby([*_RULE, "step"])[column].median().reset_index()
    middle["step"] = ((middle["step"] - 1) // each + 0.5) * each + 0.5
    return middle.groupby([*_RULE, "step"])[column].mean()


def by_step(
    lines: pd.Series,
    label: str,
    *,
    logarithmic: bool = True,
    band: tuple[float, float] | None = None,
    spelled: Callable[[float], str] = magnitude,
) -> Figure:
    """Draw a line for each initializer, a panel for each activation.

    Parameters
    ----------
    lines : pandas.Series
        Result of `over_layers`.
    label : str
        Label of the y axes, with the unit.
    logarithmic : bool
        Whether the y axes are; else they go from 0 to 1.
    band : tuple of float, optional
        Ends of a range that is shaded for comparison.
    spelled : callable
        The text of a last value.
    """
    activations = activations_of(lines.index.to_frame(index=False))
    columns = across()
    rows = -(-len(activations) // columns)
    height = max(3.9, 0.155 * lines.index.unique("initializer").size + 1.1)
    figure = canvas(height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
    last = float(lines.index.get_level_values("step").max())
    for axes, activation in zip(panels, activations, strict=False):
        if logarithmic:
            _powers(axes, lines)
        else:
            axes.set_ylim(-0.02, 1.02)
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f}"))
        axes.set_xlim(0, max(2.0, last))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.tick_params(labelbottom=True)
        axes.set_title(activation_name(activation))
        axes.set_xlabel("step")
        axes.set_ylabel(label)
        if band is not None:
            axes.axhspan(*band, color=INK, alpha=0.06, linewidth=0, zorder=0)
        ends = {}
        own = lines.loc[activation]
        for name in in_order(own.index.unique("initializer")):
            line, stroke = own.loc[name], strokes(name)
            axes.plot(line.index, line, color=stroke.colour, linestyle=stroke.dash)
            ends[name] = float(line.iloc[-1])
        end_labels(axes, ends, height - _AROUND, spelled=spelled)
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _powers(axes: Axes, lines: pd.Series) -> None:
    """Give the y axis a decade more than most values need; lines beyond are named at its ends."""
    seen = np.log10(lines[np.isfinite(lines) & (lines > 0)])
    low, high = np.floor(seen.quantile(_MOST)) if len(seen) else (0.0, 0.0)
    axes.set_yscale("log")
    axes.set_ylim(10 ** (low - 1), 10 ** (high + 2))
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: power(round(np.log10(y)))))
    axes.yaxis.set_minor_locator(NullLocator())


def first_and_last(lines: pd.Series) -> pd.DataFrame:
    """Return the first and the last value of each line, a row an activation and initializer."""
    groups = lines.groupby(level=_RULE)
    return pd.DataFrame({"first": groups.first(), "last": groups.last()})


def shown(ends: pd.DataFrame) -> list[str]:
    """Return the activations of the result of `first_and_last`, in the order of the panels."""
    return activations_of(ends.index.to_frame(index=False))


def lacks_steps(column: str, tables: Tables) -> str:
    """Return what layers recorded at one step, or without a column, lack, for ``wants``.

    Parameters
    ----------
    column : str
    tables : mapping of str to pandas.DataFrame
        With ``layers``.
    """
    layers = tables["layers"]
    if column in layers and layers.loc[layers[column].notna(), "step"].nunique() > 1:
        return ""
    return "layers recorded at several steps (--record step)"


def register_steps(
    name: str,
    column: str,
    *,
    title: str,
    label: str,
    caption: str,
    finding: Callable[[Tables], str],
    order: int,
    band: tuple[float, float] | None = None,
) -> None:
    """Register a figure of a column of the table of layers by step, on log axes.

    Parameters
    ----------
    name : str
        Name of the figure.
    column : str
        Column of the table ``layers``.
    title, caption : str
        Of the figure.
    label : str
        Label of the y axes, with the unit.
    finding : callable
        Returns the sentence that the figure shows.
    order : int
        Place in the section.
    band : tuple of float, optional
        Ends of a range that is shaded for comparison.
    """

    def draw(tables: Tables) -> Figure:
        return by_step(over_layers(tables, column), label, band=band)

    def numbers(tables: Tables) -> pd.DataFrame:
        return by_rule(with_rules(tables, "layers"), [column], "step")

    register(
        name,
        title=title,
        caption=caption,
        finding=finding,
        needs=("runs", "layers"),
        draw=draw,
        numbers=numbers,
        section="training",
        order=order,
        wants=partial(lacks_steps, column),
    )
