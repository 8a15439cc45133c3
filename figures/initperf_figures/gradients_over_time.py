"""Norm of the gradients during training."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._axes import activation_name, magnitude
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._steps import by_step, first_and_last, lacks_steps, over_layers, shown


def draw(tables: Tables) -> Figure:
    """Draw the norm of every initializer, a panel for each activation."""
    return by_step(over_layers(tables, "gradient_norm"), "gradient norm (L2)")


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "The L2 norm of the gradient of a layer’s weights, the median over layers and seeds. It "
        "vanishes where a network does not learn, falls where it has learned, and explodes before "
        "a run diverges, where its line ends. The number is the last one."
    )


def finding(tables: Tables) -> str:
    """Return whose gradients are the largest and the smallest at the end."""
    ends = first_and_last(over_layers(tables, "gradient_norm"))
    words = []
    for activation in shown(ends):
        own = ends.loc[activation, "last"]
        words.append(
            f"from {magnitude(own.min())} ({own.idxmin()}) to {magnitude(own.max())} "
            f"({own.idxmax()}) with {activation_name(activation)}"
        )
    return f"At the last step, gradients range {', '.join(words)}."


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the norm at the first, the middle and the last step."""
    return by_rule(with_rules(tables, "layers"), ["gradient_norm"], "step")


register(
    "gradients_over_time",
    title="Gradients during training",
    caption=caption,
    finding=finding,
    needs=("runs", "layers"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=32,
    wants=partial(lacks_steps, "gradient_norm"),
)
