"""Norm of the gradients by depth, before training.

Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks"
(2010), figure 7.
"""

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._depth import KEPT, by_depth, kept_by_depth, over_seeds
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule


def draw(tables: Tables) -> Figure:
    """Draw the gradient norm of every initializer, a panel for each activation."""
    return by_depth(tables["signal"], "gradient_norm", "gradient norm (L2)", backward=True)


def caption(tables: Tables) -> str:
    """Return the caption."""
    return (
        "The L2 norm of the gradient of a layer’s weights. It propagates from left to right, from "
        "the last hidden layer to the first, whose norm is the number. Where it vanishes, the "
        "first layers hardly learn; where it explodes, training diverges. Bold: within the grey "
        f"band, {KEPT[0]:g} to {KEPT[1]:g}, at every layer. {over_seeds(tables['signal'])}"
    )


def finding(tables: Tables) -> str:
    """Return how many initializers keep it in the band."""
    return kept_by_depth(tables["signal"], "gradient_norm", "The norm of the gradients")


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the norm in the first, the middle and the last layer."""
    return by_rule(tables["signal"], ["gradient_norm"], "layer")


register(
    "gradient_size",
    title="Norm of the gradients by depth",
    caption=caption,
    needs=("signal",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="signal",
    order=20,
)
