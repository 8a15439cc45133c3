"""Change of the standard deviation of each layer's weights during training."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import activation_name, activations_of, thinned
from initperf_figures._figure import Tables, register
from initperf_figures._style import INK, MUTED, PAPER, across, canvas, in_order, strokes

_MARKERS = "osD^vP"  # one a layer; a deeper network shows some of its layers
_TICKS = (1, 1.1, 1.2, 0.8, 1.5, 2, 0.5, 3, 5, 10, 0.2, 20, 50, 0.1, 100, 1.3, 1.4, 0.9)


def draw(tables: Tables) -> Figure:
    """Draw the standard deviation at the end over that at the start, a marker for each layer."""
    runs = tables["runs"]
    names = in_order(runs["initializer"])
    activations = activations_of(runs)
    every = pd.MultiIndex.from_product([activations, names])
    ratio = _growth(tables["layers"], runs).reindex(every)
    columns = across()
    rows = -(-len(activations) // columns)
    figure = canvas((0.2 * len(names) + 1.2) * rows + 0.2)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True).flat
    marked = np.linspace(0, len(ratio.columns) - 1, min(len(ratio.columns), len(_MARKERS)))
    layers = [ratio.columns[place] for place in marked.round().astype(int)]
    seen = [*ratio.to_numpy().ravel(), 1.0]
    low, high = np.nanmin(seen) / 1.1, np.nanmax(seen) * 1.1
    shown = [tick for tick in _TICKS if low < tick < high]
    ticks = thinned(shown, math.log, math.log(high / low) / 12)
    colours = [strokes(name).colour for name in names]
    places = range(len(names))
    diverged = runs[runs["status"] == "diverged"]
    lost = set(zip(diverged["activation"], diverged["initializer"], strict=True))
    for axes, activation in zip(panels, activations, strict=False):
        own = ratio.loc[activation]
        axes.axvline(1, color=INK, linewidth=0.8)
        axes.hlines(places, own.min(axis=1), own.max(axis=1), color=colours, alpha=0.4)
        for layer, marker in zip(layers, _MARKERS, strict=False):
            axes.scatter(
                own[layer],
                places,
                26,
                colours,
                marker=marker,
                edgecolor=PAPER,
                linewidth=0.5,
                zorder=3,
            )
        for place in np.flatnonzero(own.isna().all(axis=1)):
            words = "  diverged" if (activation, names[place]) in lost else "  constant at first"
            axes.text(
                1,
                place,
                words,
                va="center_baseline",
                fontsize=7,
                color=MUTED,
                bbox={"facecolor": PAPER, "linewidth": 0, "pad": 0.5},
            )
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda growth, _: f"× {growth:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_yticks(places, names)
        axes.tick_params(axis="x", labelbottom=True)
        axes.tick_params(axis="y", colors=INK, pad=6)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(visible=True, axis="both")
        axes.spines["left"].set_visible(False)
        axes.set_title(activation_name(activation))
        axes.set_xlabel("standard deviation of a layer’s weights, end over start")
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    style: dict[str, Any] = {"color": MUTED, "linestyle": "", "markersize": 5}
    handles = [
        Line2D([], [], marker=marker, label=f"layer {layer}", **style)
        for layer, marker in zip(layers, _MARKERS, strict=False)
    ]
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=len(handles),
        handletextpad=0.2,
        columnspacing=1.2,
    )
    return figure


def _growth(layers: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the median over seeds of last std over first; rows initializers, columns layers."""
    ordered = layers.sort_values("step").groupby(["run", "layer"])
    first, last = ordered["weight_std"].first(), ordered["weight_std"].last()
    random = first > 0.01 * last
    growth = (last / first.where(random)).replace(np.inf, np.nan).rename("growth").reset_index()
    growth = growth.merge(runs[["run", "activation", "initializer"]], on="run")
    return growth.groupby(["activation", "initializer", "layer"])["growth"].median().unstack()


def finding(tables: Tables) -> str:
    """Return where the weights grow the most and the least."""
    growth = _growth(tables["layers"], tables["runs"]).max(axis=1).dropna()
    if growth.empty:
        return "No run recorded weights that differ from one another at its start."
    (most_in, most), (least_in, least) = growth.idxmax(), growth.idxmin()
    return (
        f"The layer that grows most grows × {growth.max():.3g} ({most} with "
        f"{activation_name(most_in)}); those of {least} with {activation_name(least_in)} "
        f"grow × {growth.min():.3g} at most."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the growth of each layer’s standard deviation."""
    return _growth(tables["layers"], tables["runs"]).add_prefix("layer ").reset_index()


register(
    "weight_drift",
    title="Change of the weights during training",
    caption=(
        "Standard deviation of a layer’s weights after training, over that before; × 1 is no "
        "change. Where it is nearly × 1, training changes the weights little. Medians over seeds."
    ),
    needs=("runs", "layers"),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="training",
    order=30,
)
