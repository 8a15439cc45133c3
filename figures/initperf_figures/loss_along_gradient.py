"""Loss of one batch along its first gradient, beside what its derivatives predict.

LeCun, Simard and Pearlmutter, "Automatic learning rate maximization by on-line estimation of the
Hessian's eigenvectors" (1992).
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import activation_name, activations_of, headed
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import ordered
from initperf_figures._style import INK, MUTED, across, in_order, regular, strokes

_COLUMNS = 6
_TITLE = 160  # points of a title's size times its letters, which fill a panel's width
_TOP = 1.6  # of the y axes, in losses at the start
_RULE = ["activation", "initializer"]


def draw(tables: Tables) -> Figure:
    """Draw a panel for each initializer and activation, each activation in rows of its own."""
    table = tables["descent"]
    best = _best(table)
    rules = {
        activation: in_order(table.loc[table["activation"] == activation, "initializer"])
        for activation in activations_of(table)
    }
    columns = min(across(_COLUMNS), max(map(len, rules.values())))
    rows = sum(-(-len(names) // columns) for names in rules.values())
    figure, panels = regular(
        1.72 * rows + 0.3, rows, columns, around=(0.5, 0.1, 0.48, 0.52), between=(0.16, 0.72)
    )
    remaining = iter(panels)
    for activation, names in rules.items():
        places = [next(remaining) for _ in range(-(-len(names) // columns) * columns)]
        for place, (axes, name) in enumerate(zip(places, names, strict=False)):
            own = table[(table["activation"] == activation) & (table["initializer"] == name)]
            _panel(axes, own.groupby("learning_rate").median(numeric_only=True), name)
            axes.tick_params(labelleft=place % columns == 0)
            remark = f"{activation_name(activation)}: {_remark(best.loc[(activation, name)])}"
            headed(axes, name, remark, size=min(9.0, _TITLE / len(name)))
        for axes in places[len(names) :]:
            axes.remove()
    figure.supxlabel("learning rate of one step", color=MUTED)
    figure.supylabel("loss, of that at the start", color=MUTED, x=0.006)
    return figure


def _panel(axes: Axes, middle: pd.DataFrame, name: str) -> None:
    """Draw measurement, parabola and tangent, in units of the loss at the start."""
    stroke = strokes(name)
    start = middle["start_loss"]
    axes.axhline(1.0, color=INK, linewidth=0.6, zorder=1)
    steps = np.geomspace(middle.index.min(), middle.index.max(), 200)
    slope, bend = _derivatives(middle)
    for y, dash in ((1 - steps * slope, ":"), (1 - steps * slope + steps**2 * bend, "--")):
        axes.plot(steps, y, color=INK, linestyle=dash, linewidth=0.9, zorder=2)
    axes.plot(
        middle.index,
        middle["loss"] / start,
        color=stroke.colour,
        marker="o",
        markersize=2.6,
        markeredgewidth=0,
        linewidth=1.6,
        zorder=3,
    )
    axes.set_xscale("log")
    axes.set_xlim(middle.index.min(), middle.index.max())
    axes.set_ylim(0.0, _TOP)
    axes.xaxis.set_major_locator(FixedLocator([0.01, 0.1, 1.0]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axes.set_yticks([0.0, 0.5, 1.0, 1.5])


def _derivatives(middle: pd.DataFrame) -> tuple[float, float]:
    """Return slope and half the curvature along the gradient, over the loss at the start."""
    step, row = float(middle.index[-1]), middle.iloc[-1]
    slope = (row["start_loss"] - row["first_order"]) / step
    bend = (row["second_order"] - row["first_order"]) / step**2
    return slope / row["start_loss"], bend / row["start_loss"]


def _best(table: pd.DataFrame) -> pd.DataFrame:
    """Return of each initializer the step that lowers the loss most, and what was predicted.

    Returns
    -------
    pandas.DataFrame
        By activation and initializer, of medians over seeds: ``learning_rate`` of the smallest
        ``loss``; ``left``, that loss over the one at the start; ``predicted_rate``, where the
        parabola is lowest, infinite where it has no lowest point.
    """
    middle = table.groupby([*_RULE, "learning_rate"]).median(numeric_only=True)
    rows = {}
    for case, own in middle.groupby(level=_RULE):
        left = (own["loss"] / own["start_loss"]).droplevel(_RULE)
        slope, bend = _derivatives(own.droplevel(_RULE))
        rate = float(left.idxmin()) if left.notna().any() else np.nan
        predicted = 0.5 * slope / bend if bend > 0 else np.inf if bend <= 0 else np.nan
        least = float(left.min()) if left.notna().any() else np.nan
        loss = least * float(own["start_loss"].iloc[0])
        rows[case] = {
            "learning_rate": rate,
            "loss": loss,
            "left": least,
            "predicted_rate": predicted,
        }
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(found.index, names=_RULE)
    return found


def _remark(best: pd.Series) -> str:
    if np.isnan(best["left"]):
        return "overflow"
    fall = 1 - best["left"]
    if fall < 0.005:
        return "no step helps"
    return f"−{100 * fall:.0f} % at {best['learning_rate']:.2g}"


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "The first batch’s loss after one step against its gradient, by the step’s learning rate. "
        "Dotted is the tangent, −η |g|²; dashed the parabola with the curvature "
        "gᵀH g, whose lowest point is the step that it would take. Where the coloured curve leaves "
        "the parabola early, curvature does not tell how large a rate these first weights bear."
    )


def finding(tables: Tables) -> str:
    """Return the lowest loss of one step, and how well the parabola predicts its step."""
    best = _best(tables["descent"])
    known = best[best["left"] < 0.995]
    if known.empty:
        return "No step along the gradient lowers the loss by half a per cent."
    activation, name = known["loss"].idxmin()
    ratio = (known["predicted_rate"] / known["learning_rate"]).replace(np.inf, np.nan).dropna()
    close = int(ratio.between(0.5, 2.0).sum())
    return (
        f"One step reaches the lowest loss, {known['loss'].min():.3g}, from {name} with "
        f"{activation_name(activation)}; the parabola’s best step is within a factor of 2 of "
        f"the measured one for {close} of {len(known)} initializers and activations."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the best step and its loss, measured, and the parabola's best step."""
    return ordered(_best(tables["descent"]).reset_index())


register(
    "loss_along_gradient",
    title="Loss along the gradient’s direction",
    caption=caption,
    finding=finding,
    needs=("descent",),
    draw=draw,
    numbers=numbers,
    section="training",
    order=22,
)
