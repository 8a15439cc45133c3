"""Share of dead or saturated units by depth, before training.

A dead unit is zero for every image of the batch; only activations that are zero over an interval,
as ReLU, have them. Units of all others saturate: for an image, they are in a flat part of the
activation, where the derivative, and so the gradient, is nearly zero.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from initperf_figures._axes import activation_name, activation_of, activations_of
from initperf_figures._depth import layer_limits, medians
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule
from initperf_figures._style import INK, MUTED, RULE, canvas, in_order, strokes


def measure_of(activation: str) -> str:
    """Return ``"dead"`` for an activation that is zero where it is flat, else ``"saturated"``."""
    # This imports compiled functions, which other figures do not need.
    from initperf.activations import ACTIVATIONS

    known = activation in ACTIVATIONS
    return "dead" if known and ACTIVATIONS[activation].zero_where_saturated else "saturated"


def draw(tables: Tables) -> Figure:
    """Draw a strip for each initializer, a panel for each activation."""
    signal = tables["signal"]
    names = in_order(signal["initializer"])
    activations = activations_of(signal)
    rows = -(-len(activations) // 2)
    figure = canvas((0.235 * len(names) + 0.85) * rows)
    panels = figure.subplots(rows, 2, squeeze=False).flat
    for axes, activation in zip(panels, activations, strict=False):
        measure = measure_of(activation_of(activation))
        own = signal[signal["activation"] == activation]
        shares = own.groupby(["layer", "initializer"])[f"{measure}_fraction"].median().unstack()
        axes.set_title(f"{activation_name(activation)}: {measure} units")
        _strips(axes, shares[[name for name in names if name in shares]])
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _strips(axes: Axes, shares: pd.DataFrame) -> None:
    last = shares.index.max()
    for place, name in enumerate(shares.columns):
        share = shares[name]
        base = len(shares.columns) - 1 - place
        axes.axhline(base, color=RULE, linewidth=0.7)
        axes.fill_between(
            share.index, base, base + 0.84 * share, color=strokes(name).colour, linewidth=0
        )
        end = float(share.iloc[-1])
        axes.annotate(
            "overflow" if np.isnan(end) else f"{100 * end:.0f} %",
            (last, base),
            (40, 3),
            textcoords="offset points",
            ha="right",
            fontsize=7.5,
            color=INK if end >= 0.005 else MUTED,
            annotation_clip=False,
        )
    axes.set_yticks([base + 0.3 for base in range(len(shares.columns))], shares.columns[::-1])
    axes.tick_params(axis="y", colors=INK, pad=6)
    axes.set_ylim(-0.05, len(shares.columns))
    axes.set_xlim(*layer_limits(shares.index.to_series()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.tick_params(axis="x", labelbottom=True)
    axes.set_xlabel("hidden layer")
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)


def finding(tables: Tables) -> str:
    """Return where the last layer has the most dead or saturated units."""
    signal = tables["signal"]
    words = []
    for activation in activations_of(signal):
        measure = measure_of(activation_of(activation))
        own = signal[signal["activation"] == activation]
        last = own[own["layer"] == own["layer"].max()]
        shares = last.groupby("initializer")[f"{measure}_fraction"].median().dropna()
        most = shares[shares >= 0.5]
        words.append(
            f"{len(most)} of {len(shares)} initializers leave half of the units or more {measure} "
            f"with {activation_name(activation)}"
        )
    return f"In the last layer, {', '.join(words)}."


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the shares in the first, the middle and the last layer."""
    return by_rule(tables["signal"], ["dead_fraction", "saturated_fraction"], "layer")


def caption(tables: Tables) -> str:
    """Return the caption."""
    return (
        "The height of a strip is the share of a layer’s units, from 0 to 100 %; the number is the "
        "share in the last layer. A dead ReLU is zero for every image and has no gradient. Units "
        "of activations that are not zero over an interval do not die but saturate: the share "
        "counts units and images where the slope is below 1 % of the largest. "
        + medians(tables["signal"])
    )


register(
    "dead_saturated",
    title="Dead and saturated units",
    caption=caption,
    needs=("signal",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="signal",
    order=30,
)
