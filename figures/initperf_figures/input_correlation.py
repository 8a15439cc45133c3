"""Correlation of two inputs by depth, before training, with mean-field theory's curve.

Schoenholz et al., "Deep information propagation" (2017).
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from initperf_figures._axes import activation_name, activations_of, end_labels
from initperf_figures._depth import medians
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule
from initperf_figures._style import RULE, across, canvas, in_order, strokes

_AROUND = 0.75  # inches of a panel's height for its title and the text below
_ALIKE = 0.99  # correlation above which the network hardly tells two inputs apart


def draw(tables: Tables) -> Figure:
    """Draw marks for what was measured and lines for theory, a panel for each activation."""
    table = tables["propagation"]
    activations = activations_of(table)
    columns = across()
    rows = -(-len(activations) // columns)
    height = max(3.9, 0.155 * table["initializer"].nunique() + 1.1)
    figure = canvas(height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    low = min(0.0, float(table[["correlation", "correlation_theory"]].min().min()))
    for axes, activation in zip(panels, activations, strict=False):
        axes.set_ylim(low - 0.03, 1.03)
        own = table[table["activation"] == activation]
        axes.set_xlim(0.7, int(own["layer"].max()) + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.tick_params(labelbottom=True)
        axes.set_title(activation_name(activation))
        axes.set_xlabel("hidden layer")
        axes.set_ylabel("correlation of two inputs")
        axes.axhspan(_ALIKE, 1.03, color=RULE, alpha=0.6, linewidth=0, zorder=0)
        middle = _middle(own)
        ends = {}
        for name in in_order(middle.index.unique("initializer")):
            line = middle.loc[name].dropna(subset="correlation")
            if len(line):
                _line(axes, line, name)
                ends[name] = float(line["correlation"].iloc[-1])
        end_labels(axes, ends, height - _AROUND, spelled=_spelled)
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _middle(table: pd.DataFrame) -> pd.DataFrame:
    grouped = table.groupby(["initializer", "layer"])
    return grouped[["correlation", "correlation_theory"]].median()


def _line(axes: Axes, line: pd.DataFrame, name: str) -> None:
    stroke = strokes(name)
    axes.plot(line.index, line["correlation_theory"], color=stroke.colour, linestyle=stroke.dash)
    axes.plot(
        line.index,
        line["correlation"],
        color=stroke.colour,
        marker=stroke.marker,
        markersize=3.2,
        markeredgewidth=0,
        linestyle="",
        zorder=3,
    )


def _spelled(correlation: float) -> str:
    return f"{correlation:.2f}".replace("-", "−")


def caption(tables: Tables) -> str:
    """Return the caption."""
    return (
        "Marks are measured, lines are mean-field theory, from the first layer on. In the grey "
        f"band, above {_ALIKE:g}, all inputs look alike to the layers behind; where inputs that "
        "differ little are driven apart, small changes change everything. The number is the "
        f"correlation in the last layer. {medians(tables['propagation'])}"
    )


def finding(tables: Tables) -> str:
    """Return how far measurement and theory are apart, and how many rules make inputs alike."""
    table = tables["propagation"]
    last = table[table["layer"] == table.groupby("activation")["layer"].transform("max")]
    middle = last.groupby(["activation", "initializer"])["correlation"].median().dropna()
    alike = int((middle > _ALIKE).sum())
    apart = (table["correlation"] - table["correlation_theory"]).abs().median()
    return (
        f"In the last layer the correlation is above {_ALIKE:g} for {alike} of {len(middle)} "
        f"initializers and activations; half of all measurements are within {apart:.2g} of theory."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return correlation and theory in the first, the middle and the last layer."""
    return by_rule(tables["propagation"], ["correlation", "correlation_theory"], "layer")


register(
    "input_correlation",
    title="Correlation of two inputs by depth",
    caption=caption,
    finding=finding,
    needs=("propagation",),
    draw=draw,
    numbers=numbers,
    section="signal",
    order=40,
)
