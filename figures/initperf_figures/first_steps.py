"""Training loss of the first steps, enlarged."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from initperf_figures._axes import activation_name, activations_of, end_labels
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._style import INK, across, canvas, in_order, strokes

STEPS = 100
_HIGHEST = 30.0  # where the frame ends
_AROUND = 0.75  # inches of a panel's height for its title and the text below
_CHANCE = float(np.log(10))  # loss of ten equal probabilities
_WINDOW = 5  # steps of a running mean


def draw(tables: Tables) -> Figure:
    """Draw the median loss over seeds of each initializer, a panel for each activation."""
    middle = _losses(tables)
    activations = activations_of(tables["runs"])
    columns = across()
    rows = -(-len(activations) // columns)
    height = max(3.9, 0.155 * len(middle.index.unique("initializer")) + 1.1)
    figure = canvas(height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
    seen = middle[np.isfinite(middle) & (middle > 0)]
    low = 0.9 * float(seen.min()) if len(seen) else 0.1
    high = float(np.clip(1.1 * seen.max(), 4.0, _HIGHEST)) if len(seen) else _HIGHEST
    for axes, activation in zip(panels, activations, strict=False):
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        axes.set_xlim(1, min(STEPS, int(tables["steps"]["step"].max())) + 0.01)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.tick_params(labelbottom=True)
        axes.set_title(activation_name(activation))
        axes.set_xlabel("step")
        axes.set_ylabel("training loss")
        axes.axhline(_CHANCE, color=INK, linewidth=0.8, zorder=1)
        ends = {}
        own = middle.loc[activation]
        for name in in_order(own.index.unique("initializer")):
            line = own.loc[name]
            stroke = strokes(name)
            axes.plot(line.index, line, color=stroke.colour, linestyle=stroke.dash)
            ends[name] = float(line.iloc[-1])
        end_labels(axes, ends, height - _AROUND)
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    return figure


def _losses(tables: Tables) -> pd.Series:
    """Return the running mean of the loss, the median over seeds, by activation, rule and step."""
    steps = tables["steps"]
    steps = steps[steps["step"] <= STEPS].sort_values(["run", "step"])
    smooth = steps.groupby("run")["loss"].transform(
        lambda loss: loss.rolling(_WINDOW, min_periods=1).mean()
    )
    keys = tables["runs"][["run", "activation", "initializer"]]
    table = steps.assign(loss=smooth).merge(keys, on="run")
    return table.groupby(["activation", "initializer", "step"])["loss"].median()


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        f"The loss of a batch, a running mean of {_WINDOW} steps and the median over seeds. The "
        f"horizontal line, {_CHANCE:.2f}, is the loss of guessing: weights that are too large "
        "begin above it and first have to unlearn. The number is the last loss shown."
    )


def finding(tables: Tables) -> str:
    """Return how many initializers are clearly below the loss of guessing after these steps."""
    middle = _losses(tables)
    last = middle.groupby(level=["activation", "initializer"]).last()
    first = middle.groupby(level=["activation", "initializer"]).first()
    words = []
    for activation in activations_of(tables["runs"]):
        own = last[activation]
        below = int((own < 0.9 * _CHANCE).sum())
        above = int((first[activation] > 1.5 * _CHANCE).sum())
        words.append(
            f"{below} of {len(own)} with {activation_name(activation)} ({above} began far above it)"
        )
    count = min(STEPS, int(tables["steps"]["step"].max()))
    return f"After {count} steps the loss is 10 % below guessing for {', '.join(words)}."


def wants(tables: Tables) -> str:
    """Return what is missing if the first steps were not recorded."""
    steps = tables["steps"]
    return "" if (steps["step"] <= STEPS).sum() > steps["run"].nunique() else "the first steps"


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the loss at the first, a middle and the last step shown."""
    return by_rule(with_rules(tables, "steps").query(f"step <= {STEPS}"), ["loss"], "step")


register(
    "first_steps",
    title=f"Loss of the first {STEPS} steps",
    caption=caption,
    finding=finding,
    needs=("runs", "steps"),
    draw=draw,
    numbers=numbers,
    section="training",
    order=25,
    wants=wants,
)
