"""Histograms of the gradients of every layer, at the first and at the last recorded step."""

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._figure import Tables, register
from initperf_figures._ridges import ridges, spreads, steps_of, widths_finding


def draw(tables: Tables) -> Figure:
    """Draw ridgelines, a panel for each initializer and activation."""
    return ridges(tables, "gradient", "gradient, each layer’s own height")


def caption(tables: Tables) -> str:
    """Return the caption."""
    first, last = steps_of(tables)
    after = f", the plain line after {last}" if last > first else ""
    return (
        f"A ridge is a layer, the last at the top: the filled shape at step {first}{after}. "
        "Heights are roots of densities, so that a peak at 0 leaves the rest visible. A shape that "
        "narrows towards the bottom is a signal that "
        "vanishes; each panel has a scale of its own. One run of each initializer."
    )


def finding(tables: Tables) -> str:
    """Return where the width of the gradients changes most from the first layer to the last."""
    return widths_finding(tables, "gradient")


def numbers(tables: Tables) -> pd.DataFrame:
    """Return mean and standard deviation of each layer at the first and the last step."""
    return spreads(tables, "gradient")


register(
    "gradient_histograms",
    title="Gradients through layers and over training",
    caption=caption,
    finding=finding,
    needs=("runs", "histograms"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=61,
)
