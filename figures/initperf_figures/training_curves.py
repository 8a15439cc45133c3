"""Loss and accuracy through training: a row a family, so that 25 lines stay apart."""

from itertools import groupby, product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from initperf_figures._axes import accuracy_axis, activation_name, activations_of
from initperf_figures._figure import Tables, register
from initperf_figures._style import CONTEXT, canvas, family, in_order, strokes

_HIGHEST_LOSS = 30.0  # where the frame ends
_POINTS = 50  # of a loss curve: each the mean of the steps in between


def draw(tables: Tables) -> Figure:
    """Draw each family's curves in colour over all others' in grey."""
    runs = tables["runs"]
    names = in_order(runs["initializer"])
    rows = [list(members) for _, members in groupby(names, family)]
    activations = activations_of(runs)
    loss = _over_seeds(_smooth(tables["steps"]), runs)
    accuracy = _over_seeds(
        tables["epochs"].rename(columns={"epoch": "at", "test_accuracy": "value"}), runs
    )
    heights = [max(1.05, 0.165 * len(members) + 0.25) for members in rows]
    pairs = [activations[start : start + 2] for start in range(0, len(activations), 2)]
    figure = canvas((sum(heights) + 0.6) * len(pairs))
    shape = {"height_ratios": heights * len(pairs), "width_ratios": [0.72, 1, 1, 1, 1]}
    grid = figure.add_gridspec(len(rows) * len(pairs), 5, **shape)
    for (block, pair), (row, members) in product(enumerate(pairs), enumerate(rows)):
        place = block * len(rows) + row
        _legend(figure.add_subplot(grid[place, 0]), family(members[0]), members)
        for index, activation in enumerate(pair):
            left = figure.add_subplot(grid[place, 1 + 2 * index])
            right = figure.add_subplot(grid[place, 2 + 2 * index])
            _curves(left, loss, activation, members)
            _loss_axis(left, loss)
            _curves(right, accuracy, activation, members)
            accuracy_axis(right, "y", 0.0, 1 - 0.7 * (1 - accuracy["median"].max()))
            for axes, label in ((left, "training loss"), (right, "test accuracy (%)")):
                axes.set_xlim(0, max(1, accuracy.index.get_level_values("at").max()))
                axes.xaxis.set_major_locator(NullLocator())
                if row == 0:
                    axes.set_title(f"{activation_name(activation)}: {label}", fontsize=8)
                if row == len(rows) - 1:
                    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
                    axes.set_xlabel("epoch")
    return figure


def _curves(axes: Axes, curves: pd.DataFrame, activation: str, members: list[str]) -> None:
    """Draw the medians of all initializers in grey, and the members' with bands in colour."""
    curves = curves[curves.index.get_level_values("activation") == activation]
    curves = curves.droplevel("activation")
    medians = curves["median"].unstack("initializer")
    others = medians.drop(columns=members, errors="ignore").dropna(how="all")
    every = max(1, len(others) // 20)
    segments = [others[name].dropna().iloc[::every].reset_index() for name in others]
    axes.add_collection(
        LineCollection([line.to_numpy() for line in segments], colors=CONTEXT, linewidths=0.7)
    )
    for name in members:
        if name in medians:
            _band(axes, curves.loc[name], name)


def _loss_axis(axes: Axes, loss: pd.DataFrame) -> None:
    first = loss["median"].groupby(level=["activation", "initializer"]).first()
    axes.set_yscale("log")
    if len(loss):
        highest = float(np.clip(first.max(), 4.0, _HIGHEST_LOSS))
        axes.set_ylim(0.8 * float(loss["median"].min()), highest)
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_minor_locator(NullLocator())


def _band(axes: Axes, line: pd.DataFrame, name: str) -> None:
    stroke = strokes(name)
    axes.fill_between(
        line.index, line["min"], line["max"], color=stroke.colour, alpha=0.18, linewidth=0
    )
    axes.plot(line.index, line["median"], color=stroke.colour, linestyle=stroke.dash)


def _legend(axes: Axes, title: str, members: list[str]) -> None:
    axes.set_axis_off()
    for name in members:
        axes.plot([], [], color=strokes(name).colour, linestyle=strokes(name).dash, label=name)
    legend = axes.legend(
        title=title, loc="upper left", alignment="left", handlelength=2.2, borderpad=0
    )
    legend.get_title().set_fontweight("bold")


def _smooth(steps: pd.DataFrame) -> pd.DataFrame:
    """Average the loss over as many neighbouring steps as make _POINTS of the longest run."""
    each = _steps_a_point(steps)
    a_epoch = steps["step"].max() / steps["epoch"].max()
    finite = steps[np.isfinite(steps["loss"])]
    bins = ((finite["step"] - 1) // each).rename("bin")
    grouped = finite.groupby(["run", bins])
    smooth = grouped["loss"].mean().rename("value").reset_index()
    return smooth.assign(at=(smooth["bin"] + 0.5) * each / a_epoch)


def _steps_a_point(steps: pd.DataFrame) -> int:
    return max(1, -(-int(steps["step"].max()) // _POINTS))


def _over_seeds(values: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    keyed = values.merge(runs[["run", "activation", "initializer"]], on="run")
    return keyed.groupby(["activation", "initializer", "at"])["value"].agg(["min", "median", "max"])


def caption(tables: Tables) -> str:
    """Say what the lines and bands are."""
    return (
        "A row shows one family in colour, and all other initializers in grey for comparison; "
        "solid lines are normal rules, dashed ones uniform. Lines are medians over seeds, bands "
        "reach from the smallest to the largest. A point of the loss is the mean of "
        f"{_steps_a_point(tables['steps'])} steps; accuracy is taken on the test set after each "
        "epoch, on a scale that spreads the best. A line that stops early diverged; losses above "
        f"{_HIGHEST_LOSS:g} are not shown."
    )


register(
    "training_curves",
    title="How training goes",
    caption=caption,
    needs=("runs", "steps", "epochs"),
    draw=draw,
    section="training",
    order=20,
)
