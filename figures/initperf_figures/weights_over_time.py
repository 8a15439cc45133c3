"""Standard deviation of the weights during training."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._axes import activation_name, magnitude
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._steps import by_step, first_and_last, lacks_steps, over_layers, shown


def draw(tables: Tables) -> Figure:
    """Draw the standard deviation of every initializer, a panel for each activation."""
    return by_step(over_layers(tables, "weight_std"), "standard deviation of the weights")


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "Standard deviation of a layer’s weights, the median over layers and seeds. Weights that "
        "begin too small must grow before a network learns; those that begin large hardly change "
        "their size. The number is the last one."
    )


def finding(tables: Tables) -> str:
    """Return how far apart initializers are at first and at last, those that diverged left out."""
    runs = tables["runs"]
    lost = runs.loc[runs["status"] == "diverged"].set_index(["activation", "initializer"]).index
    ends = first_and_last(over_layers(tables, "weight_std"))
    ends = ends[(ends["first"] > 0) & ~ends.index.isin(lost)]
    words = []
    for activation in shown(ends):
        first, last = ends.loc[activation, "first"], ends.loc[activation, "last"]
        words.append(
            f"× {magnitude(first.max() / first.min())} the smallest at first and "
            f"× {magnitude(last.max() / last.min())} at last with {activation_name(activation)}"
        )
    if not words:
        return "All weights of a layer are equal at first, or the runs diverged."
    return f"Of runs that end, the largest weights are {', '.join(words)}."


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the standard deviation at the first, the middle and the last step."""
    return by_rule(with_rules(tables, "layers"), ["weight_std"], "step")


register(
    "weights_over_time",
    title="Weights during training",
    caption=caption,
    finding=finding,
    needs=("runs", "layers"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=28,
    wants=partial(lacks_steps, "weight_std"),
)
