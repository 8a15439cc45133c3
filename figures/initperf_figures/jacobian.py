"""Singular values of the input-output Jacobian by depth, with theory's curve.

Pennington, Schoenholz and Ganguli, "Resurrecting the sigmoid in deep learning through dynamical
isometry" (2017).
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from initperf_figures._axes import activation_name, activations_of, end_labels, power
from initperf_figures._depth import KEPT, medians
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule
from initperf_figures._style import INK, across, canvas, in_order, strokes

_AROUND = 0.75  # inches of a panel's height for its title and the text below
_FLOOR, _CEILING = 1e-6, 1e6
_COLUMNS = ("rms_singular", "largest_singular", "rms_singular_theory", "largest_singular_theory")


def draw(tables: Tables) -> Figure:
    """Draw bars from the root mean square to the largest value, and lines for theory."""
    table = _measured(tables["propagation"])
    activations = activations_of(table)
    columns = across()
    rows = -(-len(activations) // columns)
    height = max(3.9, 0.155 * table["initializer"].nunique() + 1.1)
    figure = canvas(height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    seen = table[["rms_singular", "largest_singular"]].to_numpy().ravel()
    seen = seen[np.isfinite(seen) & (seen > 0)]
    low = max(_FLOOR, min(0.1, float(seen.min(initial=1.0))))
    high = min(_CEILING, max(10.0, float(seen.max(initial=1.0))))
    for axes, activation in zip(panels, activations, strict=False):
        own = table[table["activation"] == activation]
        depths = sorted(own["depth"].unique())
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
        axes.set_xlim(depths[0] / 1.15, depths[-1] * 1.15)
        axes.xaxis.set_major_locator(FixedLocator(depths))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda depth, _: f"{depth:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: power(round(np.log10(y)))))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.tick_params(labelbottom=True)
        axes.axhline(1.0, color=INK, linewidth=0.8, zorder=1)
        axes.set_title(activation_name(activation))
        axes.set_xlabel("layers from the first hidden one")
        axes.set_ylabel("singular values")
        middle = own.groupby(["initializer", "depth"])[list(_COLUMNS)].median()
        names = in_order(middle.index.unique("initializer"))
        ends = {}
        for place, name in enumerate(names):
            line = middle.loc[name].clip(low * 1e-9, high * 1e9)
            _bars(axes, line, name, 1.0 + 0.012 * (place - len(names) / 2))
            ends[name] = float(middle.loc[name]["rms_singular"].iloc[-1])
        end_labels(axes, ends, height - _AROUND)
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with singular values, and how many layers each has passed."""
    rows = table[table["rms_singular"].notna()]
    return rows.assign(depth=rows["layer"] - 1)


def _bars(axes: Axes, line: pd.DataFrame, name: str, shift: float) -> None:
    """Draw an initializer's values, moved to the side by a factor so that bars stand apart."""
    stroke = strokes(name)
    x = line.index.to_numpy() * shift
    axes.plot(x, line["rms_singular_theory"], color=stroke.colour, linestyle=stroke.dash)
    axes.vlines(x, line["rms_singular"], line["largest_singular"], color=stroke.colour, alpha=0.35)
    style: dict[str, Any] = {"color": stroke.colour, "linestyle": "", "zorder": 3}
    axes.plot(
        x, line["rms_singular"], marker=stroke.marker, markersize=3.6, markeredgewidth=0, **style
    )
    axes.plot(x, line["largest_singular"], marker="_", markersize=5, **style)


def caption(tables: Tables) -> str:
    """Return the caption."""
    return (
        "How a small change of the first layer’s pre-activations arrives some layers behind: a "
        "mark is the root mean square of the singular values, which is the number at the end, the "
        "bar goes up to the largest, the line is theory’s root mean square. At 1 the size of "
        "signals and gradients is kept on average; the closer the bar’s end, the closer the "
        f"network is to an isometry. {medians(tables['propagation'])}"
    )


def finding(tables: Tables) -> str:
    """Return which initializers stay nearest to an isometry at the largest depth."""
    table = _measured(tables["propagation"])
    words = []
    for activation in activations_of(table):
        own = table[table["activation"] == activation]
        deep = own[own["depth"] == own["depth"].max()]
        middle = deep.groupby("initializer")[["rms_singular", "largest_singular"]].median()
        kept = middle[(middle["rms_singular"] >= KEPT[0]) & (middle["rms_singular"] <= KEPT[1])]
        if len(kept):
            spread = (kept["largest_singular"] / kept["rms_singular"]).sort_values(kind="stable")
            words.append(
                f"{spread.index[0]} with {activation_name(activation)}, × {spread.iloc[0]:.2g} "
                f"over {int(own['depth'].max())} layers"
            )
    if not words:
        return f"No initializer keeps singular values between {KEPT[0]:g} and {KEPT[1]:g}."
    return f"The largest singular value exceeds the root mean square least for {', '.join(words)}."


def numbers(tables: Tables) -> pd.DataFrame:
    """Return singular values and theory of the first, the middle and the last layer."""
    return by_rule(
        tables["propagation"], ["rms_singular", "largest_singular", "rms_singular_theory"], "layer"
    )


register(
    "jacobian",
    title="Singular values of the Jacobian by depth",
    caption=caption,
    finding=finding,
    needs=("propagation",),
    draw=draw,
    numbers=numbers,
    section="signal",
    order=50,
)
