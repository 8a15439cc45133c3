"""Ratio of updates to weights during training.

Karpathy's rule of thumb for it is about 0.001 (CS231n, "Neural networks, part 3").
"""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._axes import activation_name
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._steps import by_step, first_and_last, lacks_steps, over_layers, shown

_USUAL = 1e-4, 1e-2


def draw(tables: Tables) -> Figure:
    """Draw the ratio of every initializer, a panel for each activation."""
    return by_step(over_layers(tables, "update_ratio"), "update over weight", band=_USUAL)


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "Norm of a step’s change of a layer’s weights over the norm of the weights, the median "
        "over layers and seeds. A rule of thumb says 0.001; the grey band is a factor of ten "
        "around it. Below, weights hardly move; above, each step overwrites them. The number is "
        "the last one."
    )


def finding(tables: Tables) -> str:
    """Return how many initializers begin within a factor of ten of the rule of thumb."""
    ends = first_and_last(over_layers(tables, "update_ratio"))
    words = []
    for activation in shown(ends):
        own = ends.loc[activation, "first"]
        usual = int(own.between(*_USUAL).sum())
        words.append(f"{usual} of {len(own)} with {activation_name(activation)}")
    return (
        "Training begins with updates of a ten-thousandth to a hundredth of the weights for "
        f"{', '.join(words)}."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the ratio at the first, the middle and the last step."""
    return by_rule(with_rules(tables, "layers"), ["update_ratio"], "step")


register(
    "update_ratio",
    title="Ratio of updates to weights during training",
    caption=caption,
    finding=finding,
    needs=("runs", "layers"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=34,
    wants=partial(lacks_steps, "update_ratio"),
)
