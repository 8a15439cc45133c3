"""Histograms of the activations of every layer, at the first and at the last recorded step."""

import numpy as np
from matplotlib.figure import Figure

from initperf_figures._axes import activation_name
from initperf_figures._figure import Tables, register
from initperf_figures._ridges import recorded, ridges, steps_of


def draw(tables: Tables) -> Figure:
    """Draw ridgelines, a panel for each initializer and activation."""
    return ridges(tables, "activation", "activation, each layer’s own height")


def caption(tables: Tables) -> str:
    """Return the caption."""
    first, last = steps_of(tables)
    after = f", the black line after {last}" if last > first else ""
    return (
        f"A ridge is a layer, the last at the top: the filled shape at step {first}{after}. "
        "Heights are roots of densities, so that a peak at 0 leaves the rest visible. A shape that "
        "narrows towards the top is a signal that "
        "vanishes; each panel has a scale of its own. One run of each initializer."
    )


def finding(tables: Tables) -> str:
    """Return where the width of the activations changes most from the first layer to the last."""
    table = recorded(tables, "activation")
    table = table[table["step"] == table["step"].min()]
    middle = (table["bin_left"] + table["bin_right"]) / 2
    parts = table.assign(square=middle**2 * table["count"])
    keys = ["activation", "initializer", "layer"]
    sums = parts.groupby(keys)[["square", "count"]].sum()
    size = np.sqrt(sums["square"] / sums["count"]).unstack("layer")
    hidden = size.iloc[:, :-1] if size.shape[1] > 2 else size
    ratio = hidden.iloc[:, -1] / hidden.iloc[:, 0]
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    if ratio.empty:
        return "No activations other than 0 were recorded in the first and the last of 2 layers."
    (least_in, least), (most_in, most) = ratio.idxmin(), ratio.idxmax()
    return (
        f"From the first hidden layer to the last, activations shrink or grow between "
        f"× {ratio.min():.2g} of {least} with {activation_name(least_in)} and "
        f"× {ratio.max():.2g} of {most} with {activation_name(most_in)}."
    )


register(
    "activation_histograms",
    title="Activations through layers and over training",
    caption=caption,
    finding=finding,
    needs=("runs", "histograms"),
    draw=draw,
    section="training",
    order=60,
)
