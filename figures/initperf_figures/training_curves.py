"""Loss and accuracy during training, with a row of panels for each family of initializers."""

from functools import partial
from itertools import groupby, product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from initperf_figures._axes import accuracy_axis, activation_name, activations_of
from initperf_figures._figure import Tables, lacks_accuracy, register
from initperf_figures._numbers import by_rule, with_rules
from initperf_figures._style import CONTEXT, across, canvas, family, in_order, strokes, width

_HIGHEST_LOSS = 30.0  # where the frame ends
_POINTS = 50  # of a loss curve, each the mean of several steps
_HEAD, _FOOT, _SIDE, _NAMES = 0.3, 0.55, 0.08, 1.9  # inches around the panels
_MEMBERS = 4  # of a family in one row; larger families take two, normal and uniform distributions


def draw(tables: Tables) -> Figure:
    """Draw each family's curves in colour over all others' in grey."""
    runs = tables["runs"]
    rows = _rows(in_order(runs["initializer"]))
    activations = activations_of(runs)
    loss = _over_seeds(_smooth(tables["steps"]), runs)
    accuracy = _over_seeds(
        tables["epochs"].rename(columns={"epoch": "at", "test_accuracy": "value"}), runs
    )
    losses, accuracies = _split(loss, activations), _split(accuracy, activations)
    heights = [max(1.05, 0.165 * len(members) + 0.25) for members in rows.values()]
    beside = across()
    pairs = [activations[start : start + beside] for start in range(0, len(activations), beside)]
    figure, grid = _grid(heights, len(pairs), len(pairs[0]))
    for (block, pair), (row, heading) in product(enumerate(pairs), enumerate(rows)):
        place = block * len(rows) + row
        _legend(figure.add_subplot(grid[2 * place, 0]), heading, rows[heading])
        for index, activation in enumerate(pair):
            left = figure.add_subplot(grid[2 * place, 2 + 2 * index])
            right = figure.add_subplot(grid[2 * place, 2 + 2 * len(pairs[0]) + 2 * index])
            _curves(left, losses[activation], rows[heading])
            _loss_axis(left, loss)
            _curves(right, accuracies[activation], rows[heading])
            accuracy_axis(right, "y", 0.0, 1 - 0.7 * (1 - accuracy["median"].max()))
            for axes, label in ((left, "training loss"), (right, "test accuracy (%)")):
                axes.set_xlim(0, max(1, accuracy.index.get_level_values("at").max()))
                axes.xaxis.set_major_locator(NullLocator())
                axes.tick_params(axis="y", labelleft=index == 0)
                if row == 0:
                    title = f"{activation_name(activation)}: {label}"
                    axes.set_title(title, fontsize=min(8.0, 225 / len(title)))
                if row == len(rows) - 1:
                    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
                    axes.set_xlabel("epoch")
    return figure


def _grid(heights: list[float], blocks: int, count: int) -> tuple[Figure, GridSpec]:
    """Return a figure with a grid whose odd rows and columns are gaps, sized in inches.

    The panels are regular, so no layout engine has to measure the text in all of them.
    """
    down = [gap for height in heights for gap in (height, 0.16)]
    down[-1] = _FOOT + _HEAD
    rows = (down * blocks)[:-1]
    gaps = [0.4] + [0.14] * (count - 1)
    total = sum(rows) + _HEAD + _FOOT
    whole = width()
    wide = (whole - _NAMES - 2 * sum(gaps) - 2 * _SIDE) / (2 * count)
    columns = [_NAMES] + [size for gap in gaps * 2 for size in (gap, wide)]
    figure = canvas(total)
    figure.set_layout_engine("none")
    grid = figure.add_gridspec(
        len(rows),
        len(columns),
        height_ratios=rows,
        width_ratios=columns,
        left=_SIDE / whole,
        right=1 - _SIDE / whole,
        top=1 - _HEAD / total,
        bottom=_FOOT / total,
        wspace=0,
        hspace=0,
    )
    return figure, grid


def _rows(names: list[str]) -> dict[str, list[str]]:
    """Return the initializers of each row by its heading."""
    rows: dict[str, list[str]] = {}
    for name, members in groupby(names, family):
        group = list(members)
        uniform = [member for member in group if "uniform" in member]
        others = [member for member in group if member not in uniform]
        if len(group) > _MEMBERS and uniform and others:
            rows |= {f"{name}, normal": others, f"{name}, uniform": uniform}
        else:
            rows[name] = group
    return rows


def _curves(axes: Axes, curves: dict[str, pd.DataFrame], members: list[str]) -> None:
    """Draw the medians of all initializers in grey, and the members' with bands in colour."""
    every = max(1, max(map(len, curves.values()), default=0) // 20)
    others = [
        np.column_stack((line.index, line["median"]))[::every]
        for name, line in curves.items()
        if name not in members
    ]
    axes.add_collection(LineCollection(others, colors=CONTEXT, linewidths=0.7))
    for name in members:
        if name in curves:
            _band(axes, curves[name], name)


def _loss_axis(axes: Axes, loss: pd.DataFrame) -> None:
    first = loss["median"].groupby(level=["activation", "initializer"]).first()
    axes.set_yscale("log")
    if len(loss):
        highest = float(np.clip(first.max(), 4.0, _HIGHEST_LOSS))
        axes.set_ylim(0.8 * float(loss["median"].min()), highest)
    axes.yaxis.set_major_locator(LogLocator(numticks=5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
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
    a_epoch = steps.loc[steps["epoch"] == 1, "step"].max()
    finite = steps[np.isfinite(steps["loss"])]
    bins = ((finite["step"] - 1) // each).rename("bin")
    grouped = finite.groupby(["run", bins])
    smooth = grouped["loss"].mean().rename("value").reset_index()
    return smooth.assign(at=(smooth["bin"] + 0.5) * each / a_epoch)


def _steps_a_point(steps: pd.DataFrame) -> int:
    return max(1, -(-int(steps["step"].max()) // _POINTS))


def _split(curves: pd.DataFrame, activations: list[str]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the curves of each activation and initializer."""
    split: dict[str, dict[str, pd.DataFrame]] = {activation: {} for activation in activations}
    for (activation, name), curve in curves.groupby(level=["activation", "initializer"]):
        split[activation][name] = curve.droplevel(["activation", "initializer"])
    return split


def _over_seeds(values: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    keyed = values.merge(runs[["run", "activation", "initializer"]], on="run")
    return keyed.groupby(["activation", "initializer", "at"])["value"].agg(["min", "median", "max"])


def caption(tables: Tables) -> str:
    """Return the caption."""
    steps = _steps_a_point(tables["steps"])
    point = "that of a batch" if steps == 1 else f"the mean of {steps} steps"
    return (
        "Each row shows one family in colour and all other initializers in grey; solid lines are "
        "normal distributions, dashed lines uniform ones. Lines are medians over seeds, bands "
        f"range from the minimum to the maximum. A point of the loss is {point}; accuracy is "
        "measured on the test set after each epoch, on an axis that is logarithmic in the error. A "
        f"line that ends early diverged; losses above {_HIGHEST_LOSS:g} are not shown."
    )


def finding(tables: Tables) -> str:
    """Return which initializer is ahead after the first epoch, and how many diverged."""
    runs, epochs = tables["runs"], tables["epochs"]
    first = epochs[epochs["epoch"] == 1].merge(runs, on="run", suffixes=("", "_last"))
    words = []
    for activation in activations_of(runs):
        own = first[first["activation"] == activation].groupby("initializer")["test_accuracy"]
        middle = own.median().sort_values(kind="stable")
        if len(middle):
            words.append(
                f"{middle.index[-1]} leads with {activation_name(activation)} "
                f"({100 * middle.iloc[-1]:.1f} %)"
            )
    lost = int((runs["status"] == "diverged").sum())
    ahead = f"After one epoch {', '.join(words)}" if words else "No run finished an epoch"
    return f"{ahead}; {lost} of {len(runs)} runs diverged."


def numbers(tables: Tables) -> pd.DataFrame:
    """Return loss and accuracy on the test set after the first, a middle and the last epoch."""
    return by_rule(with_rules(tables, "epochs"), ["test_accuracy", "test_loss"], "epoch")


register(
    "training_curves",
    title="Loss and accuracy during training",
    caption=caption,
    needs=("runs", "steps", "epochs"),
    draw=draw,
    numbers=numbers,
    wants=partial(lacks_accuracy, "runs"),
    finding=finding,
    section="training",
    order=20,
)
