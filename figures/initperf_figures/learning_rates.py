"""Test accuracy against the learning rate: how wide the range is in which each rule learns."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import (
    accuracy_axis,
    activation_name,
    activations_of,
    end_labels,
    thinned,
)
from initperf_figures._figure import Tables, lacks_accuracy, register
from initperf_figures._style import PAPER, across, canvas, in_order, strokes

_AROUND = 0.75  # inches of a panel's height for its title and the text below
_NEAR = 0.01  # accuracies that count as equal to the best


def draw(tables: Tables) -> Figure:
    """Draw a line for each initializer, a panel for each activation; a ring marks the best rate."""
    rates = tables["rates"]
    activations = activations_of(rates)
    names = in_order(rates["initializer"])
    columns = across()
    rows = -(-len(activations) // columns)
    height = max(3.4, 0.155 * len(names) + 1.1)
    figure = canvas(height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
    values = rates["test_accuracy"].fillna(0.0)
    high = 1 - 0.8 * (1 - float(values.max()))
    for axes, activation in zip(panels, activations, strict=False):
        own = rates[rates["activation"] == activation]
        accuracy_axis(axes, "y", max(0.0, float(values.min()) - 0.03), high)
        _rate_axis(axes, rates)
        axes.set_title(activation_name(activation))
        axes.set_ylabel("test accuracy (%)")
        ends = {}
        for name in names:
            line = own[own["initializer"] == name].sort_values("learning_rate")
            if not line.empty:
                _line(axes, line, name)
                ends[name] = float(line["test_accuracy"].fillna(0.0).iloc[-1])
        end_labels(axes, ends, height - _AROUND, spelled=lambda share: f"{100 * share:.0f} %")
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _line(axes: Axes, line: pd.DataFrame, name: str) -> None:
    stroke = strokes(name)
    x, y = line["learning_rate"], line["test_accuracy"].fillna(0.0)
    axes.plot(x, y, color=stroke.colour, linestyle=stroke.dash)
    if "good_decades" in line:
        good = line["good_low"].iloc[0], line["good_high"].iloc[0]
        between = x[(x > good[0]) & (x < good[1])]
        where = np.unique([*good, *between])
        accuracy = np.interp(np.log(where), np.log(x[x > 0]), y[x > 0])
        axes.plot(where, accuracy, color=stroke.colour, linewidth=4.5, alpha=0.3, zorder=1)
    style: dict[str, Any] = {"color": stroke.colour, "linestyle": "", "zorder": 3}
    lost = line["status"] == "diverged"
    axes.plot(x[lost], y[lost], marker="x", markersize=5, **style)
    axes.plot(x[~lost], y[~lost], marker=stroke.marker, markersize=3, markeredgewidth=0, **style)
    best = line["best"]
    ring = style | {"markerfacecolor": PAPER, "markeredgewidth": 1.4}
    axes.plot(x[best], y[best], marker="o", markersize=6.5, clip_on=False, **ring)


def _rate_axis(axes: Axes, rates: pd.DataFrame) -> None:
    axes.set_xscale("log")
    seen = sorted(rate for rate in rates["learning_rate"].unique() if rate > 0)
    low, high = seen[0], seen[-1]
    axes.set_xlim(low / 1.15, high * 1.15)
    ticks = thinned(seen, np.log, float(np.log(high / low)) / 12)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(labelbottom=True)
    axes.set_xlabel("learning rate")


def caption(tables: Tables) -> str:
    """Return the caption."""
    rates = tables["rates"]
    edges, count = int(rates["at_edge"].sum()), int(rates["best"].sum())
    at_edge = (
        f" For {edges} of {count} the best rate is the smallest or the largest that was tried."
        if edges
        else ""
    )
    which = "; one seed, which no other figure shows" if "seed" in rates else "; means over seeds"
    return (
        "The wider the top of a curve, the less the rate needs tuning. A ring is the best rate, "
        "the broad line the rates within 5 points of it, a cross a rate at which a run diverged, "
        "the number the accuracy at the largest rate"
        f"{which}.{at_edge}"
    )


def finding(tables: Tables) -> str:
    """Return which rule learns well at the most rates, and which at the fewest."""
    rates = tables["rates"].assign(test_accuracy=tables["rates"]["test_accuracy"].fillna(0.0))
    groups = rates.groupby(["activation", "initializer"], sort=True)
    tried = rates["learning_rate"].nunique()
    near = groups["test_accuracy"].agg(lambda own: int((own >= own.max() - _NEAR).sum()))
    best = groups["test_accuracy"].max()
    top = best.groupby(level="activation").transform("max")
    good = near[best >= top - 5 * _NEAR].sort_values(kind="stable")
    (wide_in, wide), (narrow_in, narrow) = good.index[-1], good.index[0]
    if good.iloc[-1] == good.iloc[0]:
        return (
            f"Each of the {len(good)} best initializers and activations is within one point of "
            f"its best at {good.iloc[0]} of {tried} rates."
        )
    return (
        f"{wide} with {activation_name(wide_in)} is within one point of its best at "
        f"{good.iloc[-1]} of {tried} rates, {narrow} with {activation_name(narrow_in)} at "
        f"{good.iloc[0]}."
    )


register(
    "learning_rates",
    title="Accuracy against learning rate",
    caption=caption,
    needs=("rates",),
    draw=draw,
    wants=partial(lacks_accuracy, "rates"),
    finding=finding,
    section="training",
    order=15,
    printed=("rates",),
)
