"""Range of learning rates at which each initializer trains nearly as well as at its best."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import activation_name, activations_of, thinned
from initperf_figures._figure import Tables, register
from initperf_figures._style import (
    MUTED,
    PAPER,
    RULE,
    across,
    canvas,
    in_order,
    strokes,
)

_ROW_INCHES = 0.2
_AROUND = 0.95
_ABLE = 0.5  # of an activation's best accuracy: below, any rate is as bad as another


def ranges_of(rates: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each initializer and activation that learns at some rate.

    Parameters
    ----------
    rates : pandas.DataFrame
        With the columns ``good_low``, ``good_high``, ``good_decades`` and ``good_open``.
    """
    best = rates[rates["best"] & rates["good_decades"].notna()]
    return best.drop_duplicates(["activation", "initializer"])


def draw(tables: Tables) -> Figure:
    """Draw a row for each initializer, a panel for each activation."""
    rates = tables["rates"]
    activations = activations_of(rates)
    names = in_order(rates["initializer"])
    columns = min(across(2 if len(activations) == 4 else 3), len(activations))
    rows = -(-len(activations) // columns)
    figure = canvas((_AROUND + _ROW_INCHES * len(names)) * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    ranges = ranges_of(rates)
    seen = sorted(rate for rate in rates["learning_rate"].unique() if rate > 0)
    for axes, activation in zip(panels.flat, activations, strict=False):
        _panel(axes, ranges[ranges["activation"] == activation], names, seen)
        axes.set_title(activation_name(activation))
    for axes in panels.flat[len(activations) :]:
        axes.remove()
    return figure


def _panel(axes: Axes, own: pd.DataFrame, names: list[str], seen: list[float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(seen[0] / 1.5, seen[-1] * 1.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False)
    by_name = own.set_index("initializer")
    for place, name in enumerate(names):
        axes.axhline(place, color=RULE, linewidth=0.6, zorder=0)
        if name in by_name.index:
            _range(axes, by_name.loc[name], place, name)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelbottom=True)
    ticks = thinned(seen, np.log, float(np.log(seen[-1] / seen[0])) / 8)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axes.set_xlabel("learning rate")


def _range(axes: Axes, row: Any, place: int, name: str) -> None:
    stroke = strokes(name)
    low, high = row["good_low"], row["good_high"]
    axes.plot(
        [low, high],
        [place, place],
        color=stroke.colour,
        linewidth=4.0,
        solid_capstyle="butt",
        zorder=2,
    )
    axes.plot(
        [row["learning_rate"]],
        [place],
        marker="o",
        markersize=4.5,
        color=stroke.colour,
        markerfacecolor=PAPER,
        markeredgewidth=1.2,
        zorder=3,
    )
    more = "≥ " if row["good_open"] else ""
    axes.annotate(
        f"{more}{row['good_decades']:.1f}",
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
    return (
        "Bars are the learning rates around the best, a ring, whose accuracy is within 5 points of "
        "it, interpolated between the rates that were tried; the number is their width in decades, "
        "log10 of the ratio of the ends. With ≥ the bar ends where the search did. Rules without a "
        "bar do not learn at any rate."
    )


def finding(tables: Tables) -> str:
    """Return which of the rules that learn well has the widest and which the narrowest range."""
    ranges = ranges_of(tables["rates"])
    if ranges.empty:
        return "No rule learns at any of the rates."
    most = ranges.groupby("activation")["test_accuracy"].transform("max")
    ranges = ranges[ranges["test_accuracy"] >= _ABLE * most]
    wide, narrow = (
        ranges.loc[getattr(ranges["good_decades"], which)()] for which in ("idxmax", "idxmin")
    )
    return (
        "Of the initializers that reach half of the best accuracy, the widest range of good rates "
        f"is that of {wide['initializer']} with "
        f"{activation_name(wide['activation'])}, {wide['good_decades']:.1f} decades; the narrowest "
        f"that of {narrow['initializer']} with {activation_name(narrow['activation'])}, "
        f"{narrow['good_decades']:.1f}."
    )


def wants(tables: Tables) -> str:
    """Return in words what the table of rates lacks."""
    if "good_decades" in tables["rates"]:
        return ""
    return "the good ranges of rates, which tables of earlier versions do not have"


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the best rate of each rule, and the range of its good ones."""
    return tables["rates"][tables["rates"]["best"]].reset_index(drop=True)


register(
    "rate_ranges",
    title="How much does the learning rate matter?",
    caption=caption,
    needs=("rates",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    wants=wants,
    section="training",
    order=16,
)
