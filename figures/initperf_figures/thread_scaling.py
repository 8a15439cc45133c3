"""Speedup of several threads over one, and the ideal speedup."""

from math import ceil, floor, log2

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import LINE_PITCH, headed, spread
from initperf_figures._figure import WORKLOAD, Tables, register
from initperf_figures._style import ACCENT, CONTEXT, INK, MUTED, canvas

_HEIGHT = 2.75  # inches of a row of panels
_AROUND = 1.0
_COLUMNS = 3
_FAR = 2.0  # times the largest speedup, or less than the least, to which intervals are shown
_TICKS = 8


def draw(tables: Tables) -> Figure:
    """Draw a panel for each workload, and in it a line for each size."""
    gains = _gains(tables)
    workloads = list(dict.fromkeys(gains[WORKLOAD]))
    down = -(-len(workloads) // _COLUMNS)
    figure = canvas(_HEIGHT * down)
    grid = figure.subplots(down, _COLUMNS, squeeze=False).flat
    limits = _ends(gains)
    for axes, workload in zip(grid, workloads, strict=False):
        _panel(axes, gains[gains[WORKLOAD] == workload], limits)
    for axes in list(figure.axes)[len(workloads) :]:
        axes.remove()
    return figure


def _gains(tables: Tables) -> pd.DataFrame:
    """Return the speedups of Numba's methods that differ in their threads only."""
    speed = tables["speed"]
    own = speed[(speed["role"] == "ours") & speed["method"].str.match(r"Numba, \d+ threads?$")]
    same = [WORKLOAD, "size", "dtype"]
    one = own.loc[own["threads"] == 1, [*same, "values", "median_s", "low_s", "high_s"]]
    found = own[own["threads"] > 1].merge(one, on=same, suffixes=("", "_one"))
    return found.assign(
        gain=found["median_s_one"] / found["median_s"],
        gain_low=found["low_s_one"] / found["high_s"],
        gain_high=found["high_s_one"] / found["low_s"],
    )[[WORKLOAD, "size", "values", "threads", "gain", "gain_low", "gain_high"]]


def _ends(gains: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: speedups, ideal ones, and intervals unless they go far."""
    most = float(max(gains["threads"].max(), gains["gain"].max()))
    least = float(min(1.0, gains["gain"].min()))
    low = max(float(gains["gain_low"].min()), least / _FAR)
    high = min(float(gains["gain_high"].max()), most * _FAR)
    return 0.85 * min(low, least), 1.1 * max(high, most)


def _panel(axes: Axes, gains: pd.DataFrame, limits: tuple[float, float]) -> None:
    most = int(gains["threads"].max())
    headed(axes, gains[WORKLOAD].iloc[0], "dotted: ideal")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlim(0.93, most * 1.07)
    axes.set_ylim(*limits)
    axes.plot([1, most], [1, most], color=MUTED, linewidth=1.0, linestyle=":")
    axes.axhline(1.0, color=CONTEXT, linewidth=0.9)
    ends = {}
    for size, rows in gains.sort_values(["values", "threads"]).groupby("size", sort=False):
        threads, speedups = [1, *rows["threads"]], [1.0, *rows["gain"]]
        axes.vlines(
            rows["threads"], rows["gain_low"], rows["gain_high"], ACCENT, alpha=0.35, linewidth=4
        )
        axes.plot(threads, speedups, color=ACCENT, marker="o", markersize=4, linewidth=1.2)
        ends[str(size).replace(" x ", " × ").partition(", ")[0]] = float(rows["gain"].iloc[-1])
    _name(axes, ends)
    counts = sorted({1, *gains["threads"]})
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:.0f}"))
    powers = range(ceil(log2(limits[0])), floor(log2(limits[1])) + 1)
    step = 1 + len(powers) // _TICKS
    ticks = [2.0**power for power in powers if power % step == 0]  # 1 is always among them
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda gain, _: f"{gain:g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.set_xlabel("threads")
    axes.set_ylabel("speedup over one thread")


def _name(axes: Axes, ends: dict[str, float]) -> None:
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    names = sorted(ends, key=lambda name: ends[name])
    wanted = [float(to_axes((1.0, ends[name]))[1]) for name in names]
    pitch = LINE_PITCH / 72 / (_HEIGHT - _AROUND)
    for name, place in zip(names, spread(wanted, pitch, 0.0, 1.0), strict=True):
        axes.annotate(
            f"{name}  {ends[name]:.2g}",
            (1.0, place),
            (5, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center_baseline",
            fontsize=7.5,
            color=INK,
            annotation_clip=False,
        )


def caption(tables: Tables) -> str:
    """Return the caption."""
    gains = _gains(tables)
    low, high = _ends(gains)
    far = gains["gain_low"].min() < low or gains["gain_high"].max() > high
    cut = ", and are cut where they go far" if far else ""
    return (
        "Each line is a size; the dotted line is the ideal speedup, the number of threads. Bars "
        f"combine the 95 % intervals of the two times{cut}. Workloads below a measured size run "
        "on one thread, because waking another takes longer than it saves; above it, a speedup "
        "below 1 is a loss, unless its bar includes 1."
    )


def finding(tables: Tables) -> str:
    """Return the largest and the smallest speedup."""
    gains = _gains(tables).sort_values("gain")
    least, best = gains.iloc[0], gains.iloc[-1]
    return (
        f"With {best['threads']} threads, the largest speedup is {best['gain']:.2g}, of "
        f"{best[WORKLOAD]} at {best['size'].replace(' x ', ' × ')}, and the smallest "
        f"{least['gain']:.2g}, of {least[WORKLOAD]} at {least['size'].replace(' x ', ' × ')}."
    )


def wants(tables: Tables) -> str:
    """Return what is missing if there are no times of one thread and of more."""
    return "" if len(_gains(tables)) else "times by one thread and by more in speed"


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the speedups with the ends of their intervals."""
    return _gains(tables).drop(columns="values")


register(
    "thread_scaling",
    title="Speedup by threads",
    caption=caption,
    needs=("speed",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    section="speed",
    order=35,
    wants=wants,
)
