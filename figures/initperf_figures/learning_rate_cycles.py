"""Learning rate and loss by step, where the rate changes during training.

Smith, "Cyclical learning rates for training neural networks" (2017).
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from initperf_figures._axes import activation_name, activations_of, end_labels
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._style import INK, across, canvas, in_order, strokes

_POINTS = 150  # of a loss curve, each the mean of several steps
_HIGHEST = 30.0
_RATE, _LOSS, _AROUND = 0.9, 2.9, 1.0  # inches: heights of the two panels, and the text around


def draw(tables: Tables) -> Figure:
    """Draw the rate above the loss of every initializer, a column for each activation."""
    runs, steps = tables["runs"], tables["steps"]
    activations = activations_of(runs)
    columns = across()
    blocks = -(-len(activations) // columns)
    losses = _losses(tables)
    tall = max(_LOSS, 0.155 * runs["initializer"].nunique() + 0.5)
    figure = canvas((_RATE + tall + _AROUND) * blocks)
    ratios = [_RATE, tall] * blocks
    grid = figure.subplots(
        2 * blocks, columns, squeeze=False, sharex=True, gridspec_kw={"height_ratios": ratios}
    )
    seen = losses[np.isfinite(losses) & (losses > 0)]
    for place, activation in enumerate(activations):
        row, column = 2 * (place // columns), place % columns
        above, below = grid[row, column], grid[row + 1, column]
        own = runs.loc[runs["activation"] == activation, "run"]
        rates = _courses(steps[steps["run"].isin(own)])
        above.plot(rates.index, rates, color=INK, linewidth=1.1)
        above.set_ylim(0, 1.1 * float(rates.max(axis=None)))
        above.yaxis.set_major_locator(MaxNLocator(nbins=2))
        above.set_title(activation_name(activation))
        above.set_ylabel("learning rate")
        below.set_yscale("log")
        if len(seen):
            below.set_ylim(0.9 * float(seen.min()), min(_HIGHEST, 1.1 * float(seen.max())))
        below.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        below.yaxis.set_minor_locator(NullLocator())
        below.set_xlim(1, max(2, int(steps["step"].max())))
        below.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        below.tick_params(labelbottom=True)
        below.set_xlabel("step")
        below.set_ylabel("training loss")
        ends = {}
        shown = losses[losses.index.get_level_values("activation") == activation]
        for name in in_order(shown.index.unique("initializer")):
            line = losses.loc[(activation, name)]
            stroke = strokes(name)
            below.plot(line.index, line, color=stroke.colour, linestyle=stroke.dash, linewidth=1.1)
            ends[name] = float(line.iloc[-1])
        end_labels(below, ends, tall - 0.5)
    for axes in grid.flat:
        if not axes.lines:
            axes.remove()
    return figure


def _losses(tables: Tables) -> pd.Series:
    """Return the loss, averaged over neighbouring steps, by activation, initializer and step."""
    steps = tables["steps"]
    each = max(1, -(-int(steps["step"].max()) // _POINTS))
    place = (steps["step"] - 1) // each
    keys = tables["runs"][["run", "activation", "initializer"]]
    table = steps.assign(at=(place + 0.5) * each).merge(keys, on="run")
    finite = table[np.isfinite(table["loss"])]
    return finite.groupby(["activation", "initializer", "at"])["loss"].mean()


def _courses(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the different courses of the learning rate, a column each, by step."""
    courses = steps.pivot_table(index="step", columns="run", values="learning_rate")
    return courses.T.drop_duplicates().T


def caption(tables: Tables) -> str:
    """Return the caption."""
    peaks = tables["steps"].groupby("run")["learning_rate"].max().nunique()
    which = f", with {peaks} highest rates" if peaks > 1 else ""
    return (
        f"Above the learning rate of each step{which}, below the training loss, the mean over "
        "seeds and neighbouring steps. A loss that rises with the rate and falls with it shows how "
        "large a rate these first weights bear; the number is the last loss."
    )


def _cycles(rate: pd.Series) -> int:
    """Return how often a rate turns from rising to falling."""
    moves = np.sign(np.diff(rate.to_numpy(float)))
    moves = moves[moves != 0]
    return int(((moves[:-1] > 0) & (moves[1:] < 0)).sum())


def _often(times: int) -> str:
    return {0: "never", 1: "once"}.get(times, f"{times} times")


def finding(tables: Tables) -> str:
    """Return the range of the rate, its cycles and where the loss is lowest."""
    steps = tables["steps"]
    rates = _courses(steps)
    longest = rates[rates.count().idxmax()].dropna()
    losses = _losses(tables)
    last = losses.groupby(level=["activation", "initializer"]).last()
    activation, name = last.idxmin()
    return (
        f"The rate goes from {steps['learning_rate'].min():.3g} to "
        f"{steps['learning_rate'].max():.3g} and turns down {_often(_cycles(longest))} in "
        f"{len(longest)} steps; the lowest last loss, {last.min():.3g}, is that of {name} with "
        f"{activation_name(activation)}."
    )


def wants(tables: Tables) -> str:
    """Return what is missing if every rate is constant, or no loss is finite."""
    steps = tables["steps"]
    if not steps.groupby("run")["learning_rate"].nunique().max() > 1:
        return "a learning rate that changes by step, see --schedule"
    return "" if np.isfinite(steps["loss"]).any() else "a finite loss in steps"


def numbers(tables: Tables) -> pd.DataFrame:
    """Return rate and loss at the first, a middle and the last step."""
    return by_rule(with_rules(tables, "steps"), ["learning_rate", "loss"], "step")


register(
    "learning_rate_cycles",
    title="Learning-rate cycles",
    caption=caption,
    finding=finding,
    needs=("runs", "steps"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=50,
    wants=wants,
)
