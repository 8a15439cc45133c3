"""Lines of speed against size, one for each method, and their axis."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from initperf_figures._axes import LINE_PITCH, spread, thinned
from initperf_figures._figure import WORKLOAD
from initperf_figures._style import ACCENT, INK, MKL, MUTED, PAPER, RIVAL, TORCH

# library: colour and marker; colours also differ in lightness, and lines are named at their end
_LIBRARIES = {
    "NumPy reference": (MUTED, "D"),
    "NumPy": (RIVAL, "s"),
    "PyTorch": (TORCH, "^"),
    "MKL": (MKL, "v"),
    "Numba": (ACCENT, "o"),
}
_OTHER = (INK, "P")
_AROUND = 0.95  # inches of a panel's height for its title, its remark and the text below


def of_workload(speed: pd.DataFrame, workload: str) -> pd.DataFrame:
    """Return the rows of a workload with its first dtype, by size.

    Parameters
    ----------
    speed : pandas.DataFrame
        Table of speeds.
    workload : str
    """
    rows = speed[speed[WORKLOAD] == workload]
    return rows[rows["dtype"] == rows["dtype"].iloc[0]].sort_values("values", kind="stable")


def joined(own: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a method that its line joins.

    These are squares, if there are two or more; and all rows of a fill, whose time depends on the
    number of values and not on the shape.
    """
    square = own["size"].map(is_square)
    depends_on_shape = not own[WORKLOAD].str.startswith("fill_").all()
    return own[square] if depends_on_shape and square.sum() > 1 else own


def about_lines(rows: pd.DataFrame) -> str:
    """Return what a caption says of sizes that the lines leave out; nothing if there are none."""
    sizes = rows.drop_duplicates("size")
    return "Lines join square matrices. " if len(joined(sizes)) < len(sizes) else ""


def is_square(size: str) -> bool:
    """Return whether a size, as tables write it, has equal sides."""
    sides = re.fullmatch(r"(\d+) x (\d+)", size)
    return bool(sides and sides[1] == sides[2])


def lines(axes: Axes, rows: pd.DataFrame, column: str, low: str, high: str) -> None:
    """Draw a line for each method.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : pandas.DataFrame
        Rows of one workload.
    column : str
        Column to draw, against the number of values.
    low, high : str
        Columns of the ends of the bars.
    """
    most = rows["threads"].max()
    for method, own in rows.groupby("method", sort=False):
        fewer = "," in method and own["threads"].iloc[0] < most
        colour, marker = _LIBRARIES.get(method.split(",")[0], _OTHER)
        dots: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "markersize": 4.5,
            "markerfacecolor": PAPER if fewer else colour,
        }
        line = joined(own)
        alone = own.drop(line.index)
        axes.vlines(own["values"], own[low], own[high], color=colour, alpha=0.45, linewidth=4)
        dash = (0, (3.5, 1.6)) if fewer else "-"
        axes.plot(line["values"], line[column], linestyle=dash, zorder=3, **dots)
        axes.plot(alone["values"], alone[column], linestyle="", zorder=3, **dots)


def size_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Make x a log axis of the number of values, with ticks at the measured sizes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : pandas.DataFrame
        Rows of one workload.
    """
    sizes = rows.groupby("values")["size"].first()
    low, high = 0.7 * sizes.index.min(), 1.4 * sizes.index.max()
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    # Where there is no room for all: the first and the last, then squares, then the rest.
    ends = sizes.index[[0, -1]]
    order = sorted(sizes.index, key=lambda count: (count not in ends, not is_square(sizes[count])))
    kept = thinned(order, np.log, float(np.log(high / low)) / 9)
    labels = [_short(sizes[count]) for count in kept]
    axes.xaxis.set_major_locator(FixedLocator(kept))
    axes.xaxis.set_major_formatter(FixedFormatter(labels))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("size, on a log scale of the number of values")


def _short(size: str) -> str:
    return f"{size.split(' x ')[0]}²" if is_square(size) else size.replace(" x ", " × ")


def name_ends(axes: Axes, rows: pd.DataFrame, column: str, height: float) -> None:
    """Write each method's name at the right end of its line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With its final limits and scales.
    rows : pandas.DataFrame
        Rows of one workload.
    column : str
        Column that the lines show.
    height : float
        Height of the panel, in inches.
    """
    ends = {}
    for method, own in rows.groupby("method", sort=False):
        last = joined(own).iloc[-1]
        ends[method] = float(last[column])
        if last["values"] < rows["values"].max():
            reach = [last["values"], axes.get_xlim()[1]]
            axes.plot(reach, [ends[method]] * 2, color=_colour(method), linewidth=0.6, alpha=0.6)
    _write(axes, ends, height - _AROUND)


def _colour(method: str) -> str:
    return _LIBRARIES.get(method.split(",")[0], _OTHER)[0]


def _write(axes: Axes, ends: Mapping[str, float], height: float) -> None:
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    middle = axes.get_xlim()[1]
    names = sorted(ends, key=lambda name: (ends[name], name))
    wanted = [float(to_axes((middle, ends[name]))[1]) for name in names]
    for name, place in zip(names, spread(wanted, LINE_PITCH / 72 / height, 0.0, 1.0), strict=True):
        axes.annotate(
            name,
            (1.0, place),
            (6, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center_baseline",
            fontsize=7.5,
            color=_colour(name),
            annotation_clip=False,
        )
