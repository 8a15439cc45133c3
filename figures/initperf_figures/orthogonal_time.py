"""Time of a random orthogonal matrix by method and size, and the rate of matrix products.

To factorise an m × n matrix takes 2mn² − 2n³/3 operations (Golub and Van Loan, "Matrix
computations", 2013, section 5.2), so the least time grows with the cube of the side.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from initperf_figures._axes import headed
from initperf_figures._figure import WORKLOAD, Tables, register
from initperf_figures._numbers import timings
from initperf_figures._scaling import about_lines, joined, lines, name_ends, of_workload, size_axis
from initperf_figures._style import CONTEXT, INK, MUTED, canvas
from initperf_figures.speed import duration

_ORTHOGONAL = "orthogonal"
_HEIGHT = 4.1  # inches


def draw(tables: Tables) -> Figure:
    """Draw the time and the share of the limit against the size, a line for each method."""
    rows = of_workload(tables["speed"], _ORTHOGONAL)
    rows = rows.assign(
        share=100 * rows["limit_s"] / rows["median_s"],
        least=100 * rows["limit_s"] / rows["high_s"],
        most=100 * rows["limit_s"] / rows["low_s"],
    )
    figure = canvas(_HEIGHT)
    times, shares = figure.subplots(1, 2)
    _times(times, rows)
    _shares(shares, rows)
    name_ends(times, rows, "median_s", _HEIGHT)
    name_ends(shares, rows, "share", _HEIGHT)
    return figure


def _times(axes: Axes, rows: pd.DataFrame) -> None:
    threads = rows["threads"].max()
    word = "thread" if threads == 1 else "threads"
    headed(
        axes, "Time for one matrix", f"grey: beyond the limit, matrix products on {threads} {word}"
    )
    size_axis(axes, rows)
    lines(axes, rows, "median_s", "low_s", "high_s")
    limit = joined(rows.loc[rows.groupby("values")["limit_s"].idxmin()])
    low = 0.5 * float(limit["limit_s"].min())
    axes.fill_between(limit["values"], low, limit["limit_s"], color=CONTEXT, alpha=0.5, linewidth=0)
    axes.plot(limit["values"], limit["limit_s"], color=INK, linewidth=0.9)
    high = _guide(axes, rows)
    axes.set_yscale("log")
    axes.set_ylim(low, 1.6 * high)
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda s, _: duration(s).replace(".0 ", " ")))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("median time")


def _guide(axes: Axes, rows: pd.DataFrame) -> float:
    """Draw a cube of the side, above the times of the largest sizes; return its last value."""
    last = rows["values"].max()
    first = max(rows["values"].min(), last / 30)
    near = rows[rows["values"] >= first]
    end = 1.7 * float((near["high_s"] * (last / near["values"]) ** 1.5).max())
    start = end * (first / last) ** 1.5
    axes.plot([first, last], [start, end], color=MUTED, linewidth=0.9, linestyle=":")
    axes.annotate(
        "time ∝ side³",
        (last, end),
        (-12, 0),
        textcoords="offset points",
        ha="right",
        fontsize=7.5,
        color=MUTED,
    )
    return end


def _shares(axes: Axes, rows: pd.DataFrame) -> None:
    headed(axes, "Share of the limit", "100 %: matrix products with as many threads")
    size_axis(axes, rows)
    lines(axes, rows, "share", "least", "most")
    axes.axhline(100, color=INK, linewidth=0.9)
    axes.set_yscale("log")
    axes.set_ylim(0.7 * rows["least"].min(), max(130.0, 1.1 * rows["most"].max()))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g} %"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("limit over median time")


def caption(tables: Tables) -> str:
    """Return the caption."""
    rows = of_workload(tables["speed"], _ORTHOGONAL)
    return (
        "Marks are medians, bars their 95 % intervals, often hidden by the mark; hollow marks and "
        f"dashed lines use fewer threads. {about_lines(rows)}The limit is a Householder "
        "factorisation at the speed of the machine’s matrix products."
    )


def finding(tables: Tables) -> str:
    """Return which method is the fastest at the largest size, and the fastest of the others."""
    rows = of_workload(tables["speed"], _ORTHOGONAL)
    largest = rows[rows["values"] == rows["values"].max()].sort_values("median_s")
    best = largest.iloc[0]
    words = (
        f"At {best['size'].replace(' x ', ' × ')}, {best['method']} is the fastest with "
        f"{duration(best['median_s'])}"
    )
    others = largest[largest["role"] != best["role"]]
    if len(others):
        next_best = others.iloc[0]
        words += f"; {next_best['method']} takes {duration(next_best['median_s'])}"
    return words + "."


def wants(tables: Tables) -> str:
    """Return what is missing if fewer than two sizes were measured."""
    speed = tables["speed"]
    sizes = speed.loc[speed[WORKLOAD] == _ORTHOGONAL, "values"].nunique()
    return "" if sizes > 1 else "two sizes of orthogonal in speed"


def numbers(tables: Tables) -> pd.DataFrame:
    """Return times and ratios of orthogonal matrices."""
    return timings(tables["speed"][tables["speed"][WORKLOAD] == "orthogonal"])


register(
    "orthogonal_time",
    title="Time of an orthogonal matrix",
    caption=caption,
    needs=("speed",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="speed",
    order=20,
    wants=wants,
)
