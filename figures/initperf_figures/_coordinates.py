"""Coordinate check of a PyTorch model: changes by width, and exponents with their intervals.

It is drawn from the tables of `initperf.torch.coordinate_check`, and is no figure of the report.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, NullLocator

from initperf_figures._axes import LINE_PITCH, power, spread
from initperf_figures._signals import ALARM
from initperf_figures._style import ACCENT, INK, MUTED, RULE, canvas, look

_DASHES = ("-", (0, (4, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.4, 1.2, 1.4)))


def coordinate_figure(table: pd.DataFrame, exponents: pd.DataFrame, limit: float) -> Figure:
    """Draw the change of each layer against the width, and its exponent beside.

    Parameters
    ----------
    table : pandas.DataFrame
        ``layer``, ``order``, ``width``, ``seed``, ``step``, ``change``.
    exponents : pandas.DataFrame
        ``layer``, ``value``, ``low``, ``high``, ``verdict``; in the order of execution.
    limit : float
        Largest exponent that counts as none.
    """
    last = table[table["step"] == table["step"].max()]
    with look():
        figure = canvas(max(3.4, 1.3 + 0.22 * len(exponents)))
        left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": (1.2, 1.0)})
        _changes(left, last, exponents)
        _exponents(right, exponents, limit)
    return figure


def _colour(verdict: str) -> str:
    return {"holds": ACCENT, "undecided": MUTED}.get(verdict, ALARM)


def _changes(axes: Axes, last: pd.DataFrame, exponents: pd.DataFrame) -> None:
    """Draw the median change over seeds, with a band from the least to the greatest."""
    widths = sorted(last["width"].unique())
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    ends: dict[str, float] = {}
    for place, each in enumerate(exponents.itertuples()):
        own = last[last["layer"] == each.layer].groupby("width")["change"]
        middle = own.median()
        colour = _colour(str(each.verdict))
        axes.fill_between(middle.index, own.min(), own.max(), color=colour, alpha=0.1, linewidth=0)
        dash = _DASHES[place % len(_DASHES)]
        axes.plot(middle.index, middle, color=colour, linestyle=dash, marker="o", markersize=3)
        ends[str(each.layer)] = float(middle.iloc[-1])
    axes.set_xlim(widths[0] / 1.1, widths[-1] * 1.1)
    axes.xaxis.set_major_locator(FixedLocator(widths))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda y, _: power(round(np.log10(y))) if y > 0 else "0")
    )
    axes.yaxis.set_minor_locator(NullLocator())
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
    axes.set_title(f"Change after {last['step'].max()} steps")
    axes.set_xlabel("width")
    axes.set_ylabel("root mean square of the change")
    _names(axes, ends)


def _names(axes: Axes, ends: dict[str, float]) -> None:
    """Write the layers' names at the ends of their lines."""
    names = sorted(ends, key=lambda name: ends[name])
    low, high = np.log(axes.get_ylim())
    points = [(np.log(ends[name]) - low) / (high - low) for name in names]
    tall = axes.figure.get_size_inches()[1] - 0.9
    for name, place in zip(names, spread(points, LINE_PITCH / 72 / tall, 0.0, 1.0), strict=True):
        axes.text(1.02, place, name, transform=axes.transAxes, va="center", fontsize=7.5, color=INK)


def _exponents(axes: Axes, exponents: pd.DataFrame, limit: float) -> None:
    """Draw each layer's exponent as a dot with its interval, beside the band that counts as 0."""
    axes.axvspan(-limit, limit, color=RULE, alpha=0.7, linewidth=0, zorder=0)
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    for place, each in enumerate(exponents.itertuples()):
        colour = _colour(str(each.verdict))
        axes.plot([each.low, each.high], [place, place], color=colour, linewidth=1.6, zorder=2)
        axes.plot([each.value], [place], color=colour, marker="o", markersize=4.5, zorder=3)
    axes.set_ylim(len(exponents) - 0.5, -0.5)
    axes.yaxis.set_major_locator(FixedLocator(range(len(exponents))))
    axes.yaxis.set_major_formatter(FixedFormatter([str(name) for name in exponents["layer"]]))
    axes.grid(visible=False)
    reach = max(0.6, float(np.abs(exponents[["low", "high"]].to_numpy()).max()) * 1.08)
    axes.set_xlim(-reach, reach)
    axes.set_title("Exponent of the width, 95 %")
    axes.set_xlabel("no growth: within the band")
