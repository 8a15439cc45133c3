"""Depth until which each initializer learns, at its best learning rate, with intervals."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import activation_name, activations_of, thinned
from initperf_figures._figure import Tables, register
from initperf_figures._style import MUTED, RULE, across, canvas, in_order, strokes

_ROW_INCHES = 0.2
_AROUND = 0.95
_TICKS = (2, 100, 10, 30, 5, 50, 20, 3, 1, 200, 300, 500, 1000)


def draw(tables: Tables) -> Figure:
    """Draw a row for each initializer, a panel for each activation."""
    limits = tables["depth_limits"]
    activations = activations_of(limits)
    names = in_order(limits["initializer"])
    columns = min(across(3), len(activations))
    rows = -(-len(activations) // columns)
    figure = canvas((_AROUND + _ROW_INCHES * len(names)) * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    ends = float(limits["least"].min()), float(limits["greatest"].max())
    for axes, activation in zip(panels.flat, activations, strict=False):
        _panel(axes, limits[limits["activation"] == activation], names, ends)
        axes.set_title(activation_name(activation))
    for axes in panels.flat[len(activations) :]:
        axes.remove()
    return figure


def _panel(axes: Axes, own: pd.DataFrame, names: list[str], ends: tuple[float, float]) -> None:
    low, high = ends
    left, right = low / 1.35, high * 1.6
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False)
    axes.axvspan(high, right, color=RULE, linewidth=0, zorder=0)
    for place, name in enumerate(names):
        axes.axhline(place, color=RULE, linewidth=0.6, zorder=0)
        for row in own[own["initializer"] == name].itertuples():
            _limit(axes, row, place, (left, right))
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelbottom=True)
    inside = [tick for tick in _TICKS if low <= tick <= high]
    ticks = thinned(inside, np.log, float(np.log(right / left)) / 9)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda depth, _: f"{depth:g}"))
    axes.set_xlabel("learns until depth (hidden layers)")


def _limit(axes: Axes, row: Any, place: int, ends: tuple[float, float]) -> None:
    stroke = strokes(row.initializer)
    low = row.depth if np.isnan(row.low) else max(row.low, ends[0])
    high = row.depth if np.isnan(row.high) else min(row.high, ends[1])
    axes.plot([low, high], [place, place], color=stroke.colour, linewidth=1.6, zorder=2)
    marker = {"at least": ">", "at most": "<"}.get(row.bound, "o")
    axes.plot(
        [row.depth],
        [place],
        marker=marker,
        markersize=5,
        color=stroke.colour,
        markeredgewidth=0,
        zorder=3,
    )
    words = {"at least": "≥ ", "at most": "≤ "}.get(row.bound, "") + f"{row.depth:.0f}"
    axes.annotate(
        words,
        (1.0, place),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        color=MUTED,
    )


def caption(tables: Tables) -> str:
    """Return the caption."""
    limits = tables["depth_limits"]
    seeds = int(limits["seeds"].min())
    level = limits.groupby("activation")["level"].first()
    few = "one seed, no intervals" if seeds == 1 else f"lines are 95 % intervals over {seeds} seeds"
    return (
        "Depth at which accuracy falls below half-way from guessing to the best of any rule "
        f"({100 * level.min():.0f} to {100 * level.max():.0f} %), interpolated between the depths "
        f"that were tried; {few}. Each rule has its best rate of a search at each depth, on a seed "
        "that is not shown. A triangle to the right: it still learns at the greatest depth tried; "
        "to the left: not at the least."
    )


def finding(tables: Tables) -> str:
    """Return which rule learns deepest with each activation."""
    limits = tables["depth_limits"]
    words = []
    for activation in activations_of(limits):
        own = limits[limits["activation"] == activation]
        most = own["depth"].max()
        names = in_order(own.loc[own["depth"] >= most * (1 - 1e-9), "initializer"])
        which = f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"
        bound = own.loc[own["depth"].idxmax(), "bound"]
        words.append(
            f"{activation_name(activation)} {bound} {most:.0f} ({which})".replace("  ", " ")
        )
    return f"Greatest depth that learns: {'; '.join(words)}."


register(
    "depth_limits",
    title="Until which depth does it learn?",
    caption=caption,
    needs=("depth_limits",),
    draw=draw,
    finding=finding,
    section="maps",
    order=20,
    printed=("depth_limits",),
)
