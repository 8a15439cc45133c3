"""Share of dead or saturated units during training."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from initperf_figures._axes import activation_name, activation_of, activations_of
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._steps import by_step, first_and_last, lacks_steps, over_layers, shown
from initperf_figures.dead_saturated import measure_of

_SHARE = "share"


def _measured(tables: Tables) -> pd.DataFrame:
    """Return the layers' rows with the share that the activation of each has."""
    table = with_rules(tables, "layers")
    measures = {name: measure_of(activation_of(name)) for name in activations_of(table)}
    share = table["saturated_fraction"].astype("float64").copy()
    dead = table["activation"].map(measures) == "dead"
    share[dead] = table.loc[dead, "dead_fraction"].astype("float64")
    return table.assign(share=share)


def _lines(tables: Tables) -> pd.Series:
    measured = _measured(tables).drop(columns=["activation", "initializer"])
    return over_layers({**tables, "layers": measured}, _SHARE)


def draw(tables: Tables) -> Figure:
    """Draw the share of every initializer, a panel for each activation."""
    lines = _lines(tables)
    figure = by_step(lines, "units (%)", logarithmic=False, spelled=_percent)
    for axes, activation in zip(figure.axes, shown(first_and_last(lines)), strict=True):
        axes.set_title(f"{activation_name(activation)}: {measure_of(activation_of(activation))}")
    return figure


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "Share of a layer’s units that are zero for every image of a batch, which get no gradient "
        "and seldom return, for activations that are zero over an interval; else of units and "
        "images where the slope is below 1 % of the largest. Medians over layers and seeds."
    )


def finding(tables: Tables) -> str:
    """Return for how many initializers the share grows during training."""
    ends = first_and_last(_lines(tables))
    words = []
    for activation in shown(ends):
        own = ends.loc[activation]
        more = int((own["last"] > own["first"] + 0.01).sum())
        words.append(
            f"{measure_of(activation_of(activation))} units become more for {more} of {len(own)} "
            f"initializers with {activation_name(activation)}, up to "
            f"{_percent(own['last'].max())} ({own['last'].idxmax()})"
        )
    return f"During training, {'; '.join(words)}."


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the share at the first, the middle and the last step."""
    return by_rule(_measured(tables), [_SHARE], "step")


register(
    "dead_over_time",
    title="Dead and saturated units during training",
    caption=caption,
    finding=finding,
    needs=("runs", "layers"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=36,
    wants=partial(lacks_steps, "saturated_fraction"),
)
