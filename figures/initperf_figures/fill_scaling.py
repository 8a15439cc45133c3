"""Rate of fills, in values a second, by size, and the rate of stores of as many bytes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from initperf_figures._axes import headed
from initperf_figures._figure import WORKLOAD, Tables, register
from initperf_figures._numbers import timings
from initperf_figures._scaling import joined, lines, name_ends, of_workload, size_axis
from initperf_figures._style import CONTEXT, INK, MUTED, canvas

_HEIGHT = 3.3  # inches of a panel
_SIZES = 3  # the fewest that show how a rate depends on the size


def draw(tables: Tables) -> Figure:
    """Draw a panel for each fill that was measured at enough sizes, a line for each method."""
    panels = {workload: _rates(tables["speed"], workload) for workload in _workloads(tables)}
    down = -(-len(panels) // 2)
    figure = canvas(_HEIGHT * down)
    grid = figure.subplots(down, 2, squeeze=False).flat
    for axes, (workload, rows) in zip(grid, panels.items(), strict=False):
        _panel(axes, workload, rows)
        name_ends(axes, rows, "rate", _HEIGHT)
    for axes in list(figure.axes)[len(panels) :]:
        axes.remove()
    return figure


def _workloads(tables: Tables) -> list[str]:
    speed = tables["speed"]
    fills = speed[speed[WORKLOAD].str.startswith("fill_")]
    sizes = fills.groupby(WORKLOAD)["values"].nunique()
    return [workload for workload, count in sizes.items() if count >= _SIZES]


def _rates(speed: pd.DataFrame, workload: str) -> pd.DataFrame:
    rows = of_workload(speed, workload)
    times = {"rate": "median_s", "least": "high_s", "most": "low_s", "limit_rate": "limit_s"}
    return rows.assign(**{name: rows["values"] / rows[time] for name, time in times.items()})


def _panel(axes: Axes, workload: str, rows: pd.DataFrame) -> None:
    threads = rows["threads"].max()
    word = "thread" if threads == 1 else "threads"
    headed(axes, workload, f"grey: beyond the limit, stores on {threads} {word}")
    size_axis(axes, rows)
    lines(axes, rows, "rate", "least", "most")
    limit = joined(rows.loc[rows.groupby("values")["limit_rate"].idxmax()])
    top = 1.6 * float(max(limit["limit_rate"].max(), rows["most"].max()))
    axes.fill_between(
        limit["values"], limit["limit_rate"], top, color=CONTEXT, alpha=0.5, linewidth=0
    )
    axes.plot(limit["values"], limit["limit_rate"], color=INK, linewidth=0.9)
    axes.set_yscale("log")
    low = float(rows["least"].min())
    axes.set_ylim(0.3 * low, top)
    _guide(axes, rows, 0.62 * low)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(_rate))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("values a second")


def _guide(axes: Axes, rows: pd.DataFrame, rate: float) -> None:
    """Draw a level line, of times proportional to the number of values, below all others."""
    ends = [rows["values"].min(), rows["values"].max()]
    axes.plot(ends, [rate, rate], color=MUTED, linewidth=0.9, linestyle=":")
    axes.annotate(
        "level: time ∝ values",
        (ends[0], rate),
        (4, -9),
        textcoords="offset points",
        fontsize=7.5,
        color=MUTED,
    )


def _rate(rate: float, _place: int) -> str:
    for word, scale in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if rate >= 0.9995 * scale:
            return f"{rate / scale:.3g} {word}"
    return f"{rate:.3g}"


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "Higher is faster. Marks are medians, bars their 95 % intervals; hollow marks and dashed "
        "lines use fewer threads. Calls and starting threads dominate the time of small fills; "
        "large ones exceed the caches. The limit is the rate at which stores fill as many "
        "bytes."
    )


def finding(tables: Tables) -> str:
    """Return the largest share of the limit."""
    rows = pd.concat([_rates(tables["speed"], workload) for workload in _workloads(tables)])
    shares = rows["limit_s"] / rows["median_s"]
    best = rows.loc[shares.index[np.argmax(shares)]]
    return (
        f"{best['method']} comes nearest to its limit: "
        f"{100 * shares.max():.0f} % in {best[WORKLOAD]} of {best['size'].replace(' x ', ' × ')}."
    )


def wants(tables: Tables) -> str:
    """Return what is missing if no fill was measured at enough sizes."""
    return "" if _workloads(tables) else f"{_SIZES} sizes of a fill in speed"


def numbers(tables: Tables) -> pd.DataFrame:
    """Return times and ratios of the fills."""
    return timings(tables["speed"][tables["speed"][WORKLOAD].str.startswith("fill_")])


register(
    "fill_scaling",
    title="Fills by size",
    caption=caption,
    needs=("speed",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="speed",
    order=30,
    wants=wants,
)
