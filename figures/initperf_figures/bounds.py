"""Range of the weights of each initializer against the fan-in."""

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from initperf_figures._axes import headed
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule
from initperf_figures._style import CONTEXT, INK, MUTED, in_order, regular, strokes

_COLUMNS = 4
_LABELLED = 10  # the fan-in whose bound is written out


def draw(tables: Tables) -> Figure:
    """Draw the bounds of every initializer as error bars, the others' in grey behind."""
    bounds = tables["bounds"]
    soft = ~np.isfinite(bounds["high"] - bounds["low"])
    bounds = bounds.assign(
        low=bounds["low"].mask(soft, -bounds["std"]), high=bounds["high"].mask(soft, bounds["std"])
    )
    names = in_order(bounds["initializer"])
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure, panels = regular(
        2.5 * rows + 0.2,
        rows,
        columns,
        around=(0.66, 0.1, 0.43, 0.5),
        between=(0.14, 0.93),
        sharex=True,
        sharey=True,
    )
    every = {name: rule.sort_values("fan_in") for name, rule in bounds.groupby("initializer")}
    others = [
        rule[["fan_in", edge]].to_numpy() for rule in every.values() for edge in ("low", "high")
    ]
    for axes, name in zip(panels, names, strict=False):
        axes.add_collection(LineCollection(others, colors=CONTEXT, linewidths=0.8))
        rule, colour = every[name], strokes(name).colour
        axes.fill_between(
            rule["fan_in"], rule["low"], rule["high"], color=colour, alpha=0.13, linewidth=0
        )
        bars = rule[(rule["fan_in"] % 5 == 0) | (rule["fan_in"] == 1)]
        middle = (bars["low"] + bars["high"]) / 2
        axes.errorbar(
            bars["fan_in"],
            middle,
            (bars["high"] - bars["low"]) / 2,
            fmt="o",
            markersize=2.4,
            color=colour,
            elinewidth=1.1,
            capsize=2.2,
            capthick=1.1,
        )
        for point in rule[rule["fan_in"] == _LABELLED].itertuples():
            axes.annotate(
                f"n = {_LABELLED}: ±{point.high:.3f}",
                (point.fan_in, point.high),
                (10, 24),
                textcoords="offset points",
                fontsize=7.5,
                color=INK,
                arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkB": 3},
            )
        hard = (rule["high"] > 1.01 * rule["std"]).all()
        headed(axes, name, "the bounds" if hard else "one standard deviation")
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("fan-in n")
    for axes in list(figure.axes)[len(names) :]:
        axes.remove()
    for axes in figure.axes[::columns]:
        axes.set_ylabel("weight")
    return figure


def finding(tables: Tables) -> str:
    """Return the spread of the standard deviations at the labelled fan-in."""
    bounds = tables["bounds"]
    at = bounds[bounds["fan_in"] == _LABELLED].sort_values("std", kind="stable")
    if at.empty:
        return "All bounds fall as the fan-in grows."
    least, most = at.iloc[0], at.iloc[-1]
    return (
        f"At a fan-in of {_LABELLED}, standard deviations range from {least['std']:.3f} of "
        f"{least['initializer']} to {most['std']:.3f} of {most['initializer']}."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the standard deviation at the smallest, a middle and the largest fan-in."""
    return by_rule(tables["bounds"], ["std"], "fan_in")


register(
    "bounds",
    title="Bounds against fan-in",
    caption=(
        "Units with more inputs need smaller weights. Error bars span the range of a uniform "
        "distribution, and one standard deviation to either side of the mean of any other; all "
        "other initializers are in grey. Fan-out is 10."
    ),
    needs=("bounds",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="weights",
    order=20,
)
