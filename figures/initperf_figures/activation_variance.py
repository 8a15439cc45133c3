"""Variance of the activations by depth, before training.

Poole et al., "Exponential expressivity in deep neural networks through transient chaos" (2016).
"""

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._depth import KEPT, by_depth, kept_by_depth, over_seeds
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule


def draw(tables: Tables) -> Figure:
    """Draw the activation variance of every initializer, a panel for each activation."""
    return by_depth(
        tables["signal"], "activation_variance", "variance of the activations", guide=1.0
    )


def caption(tables: Tables) -> str:
    """Return the caption."""
    return (
        "A falling line is a signal that vanishes with depth, a rising line one that explodes. "
        f"Bold: within the grey band, {KEPT[0]:g} to {KEPT[1]:g}, at every layer. The number is "
        "the variance in the last layer. Bounded activations such as tanh do not explode; too "
        f"large weights saturate them. {over_seeds(tables['signal'])}"
    )


def finding(tables: Tables) -> str:
    """Return how many initializers keep it in the band."""
    return kept_by_depth(tables["signal"], "activation_variance", "The variance of the activations")


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the variance in the first, the middle and the last layer."""
    return by_rule(tables["signal"], ["activation_variance"], "layer")


register(
    "activation_variance",
    title="Variance of the activations by depth",
    caption=caption,
    needs=("signal",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="signal",
    order=10,
)
