"""Histogram of one weight of each initializer, and the density that it declares."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from initperf_figures._axes import headed
from initperf_figures._figure import Tables, register
from initperf_figures._style import INK, MUTED, across, in_order, regular, strokes

_COLUMNS = 5


def draw(tables: Tables) -> Figure:
    """Draw a panel for each initializer, each with axes of its own."""
    weights, statistics = tables["weights"], tables["weight_statistics"]
    statistics = statistics.set_index("initializer")
    names = in_order(weights["initializer"])
    columns = across(_COLUMNS)
    rows = -(-len(names) // columns)
    figure, panels = regular(
        1.62 * rows + 0.25, rows, columns, around=(0.3, 0.1, 0.43, 0.5), between=(0.12, 0.68)
    )
    for axes, name in zip(panels, names, strict=False):
        fact = statistics.loc[name]
        _panel(axes, name, weights[weights["initializer"] == name], fact["mean"])
        headed(axes, name, fact["formula"], size=min(9.0, 165 / len(name)))
        axes.annotate(
            f"σ = {fact['std'] if fact['std'] > 1e-12 else 0:.3g}",
            (1, 1),
            (0, -1),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=7,
            ha="right",
            va="top",
            color=MUTED,
        )
    for axes in list(figure.axes)[len(names) :]:
        axes.remove()
    figure.supxlabel("weight", color=MUTED)
    figure.supylabel("density", color=MUTED, x=0.006)
    return figure


def caption(tables: Tables) -> str:
    """Return the caption."""
    first = tables["weight_statistics"].iloc[0]
    return (
        f"Each panel shows one draw of {first['rows']} × {first['columns']}: the histogram of its "
        "entries in colour, and as a line the density that the initializer declares (none where "
        "all entries are equal or depend on one another). σ is the measured standard deviation."
    )


def finding(tables: Tables) -> str:
    """Return the largest relative error of the standard deviations, rounded up to one digit."""
    facts = tables["weight_statistics"]
    random = facts[facts["declared_std"] > 0]
    if random.empty:
        return "Every initializer here gives each weight of a layer the same value."
    error = 100 * float((random["std"] / random["declared_std"] - 1).abs().max())
    digit = 10.0 ** math.floor(math.log10(max(error, 1e-3)))
    bound = digit * math.ceil(error / digit)
    which = f"each of {len(random)} initializers" if len(random) > 1 else "the initializer"
    return f"The measured standard deviation is within {bound:g} % of the declared one for {which}."


def _panel(axes: Axes, name: str, histogram: pd.DataFrame, mean: float) -> None:
    edges = np.append(histogram["bin_left"], histogram["bin_right"].iloc[-1])
    measured = histogram["density_measured"].to_numpy()
    share = measured * np.diff(edges)
    colour = strokes(name).colour
    if share.max() > 1 - 1e-9:
        axes.vlines(mean, 0, 1, color=colour, linewidth=2.5)
        axes.set_xlim(mean - 1, mean + 1)
        axes.set_xticks([mean], [f"{mean:.3g}"])
        _beside_spike(axes, "every\nweight")
        top = 1.0
    else:
        axes.stairs(measured, edges, fill=True, color=colour, alpha=0.35, linewidth=0)
        top = float(measured.max())
        if share.max() > 0.5:
            _beside_spike(axes, f"{100 * share.max():.3g} %\nin one bar")
            top = 1.6 * float(np.partition(measured, -2)[-2])
        top = max(top, _declared(axes, edges, histogram["density_declared"].to_numpy()))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, symmetric=True))
    axes.set_ylim(0, 1.25 * top)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def _declared(axes: Axes, edges: np.ndarray, density: np.ndarray) -> float:
    """Draw the declared density, vertical at its jumps; return its highest value."""
    if np.isnan(density).all():
        return 0.0
    top = float(np.nanmax(density))
    around = np.concatenate(([0.0], density, [0.0]))
    jumps = np.flatnonzero(np.abs(np.diff(around)) > 0.1 * top)
    middle = (edges[1:] + edges[:-1]) / 2
    x = np.concatenate((middle, edges[jumps], edges[jumps]))
    y = np.concatenate((density, around[jumps], around[jumps + 1]))
    order = np.argsort(x, kind="stable")
    axes.plot(x[order], y[order], color=INK, linewidth=1.1)
    return top


def _beside_spike(axes: Axes, words: str) -> None:
    axes.text(0.56, 0.55, words, transform=axes.transAxes, fontsize=7.5, color=MUTED)


register(
    "weight_histograms",
    title="Distributions of the weights",
    caption=caption,
    needs=("weights", "weight_statistics"),
    draw=draw,
    finding=finding,
    printed=("weight_statistics",),
    section="weights",
    order=10,
)
