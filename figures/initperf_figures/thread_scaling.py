"""How many times as fast more threads are than one, against as many times as there are threads."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initperf_figures._axes import LINE_PITCH, headed, spread
from initperf_figures._figure import Tables, register
from initperf_figures._style import ACCENT, CONTEXT, INK, MUTED, canvas

_HEIGHT = 2.75  # inches of a row of panels
_AROUND = 1.0
_COLUMNS = 3


def draw(tables: Tables) -> Figure:
    """Draw a panel for each kernel, and in it a line for each size."""
    gains = _gains(tables)
    kernels = list(dict.fromkeys(gains["workload"]))
    down = -(-len(kernels) // _COLUMNS)
    figure = canvas(_HEIGHT * down)
    grid = figure.subplots(down, _COLUMNS, squeeze=False).flat
    most = float(max(gains["threads"].max(), gains["gain_high"].max()))
    least = float(min(1.0, gains["gain_low"].min()))
    for axes, kernel in zip(grid, kernels, strict=False):
        _panel(axes, gains[gains["workload"] == kernel], (0.85 * least, 1.1 * most))
    for axes in list(figure.axes)[len(kernels) :]:
        axes.remove()
    return figure


def _gains(tables: Tables) -> pd.DataFrame:
    """Return the time by one thread over that by more, of Numba's plain methods."""
    speed = tables["speed"]
    own = speed[(speed["role"] == "ours") & speed["method"].str.match(r"Numba, \d+ threads?$")]
    work = ["workload", "size", "dtype"]
    one = own.loc[own["threads"] == 1, [*work, "values", "median_s", "low_s", "high_s"]]
    found = own[own["threads"] > 1].merge(one, on=work, suffixes=("", "_one"))
    return found.assign(
        gain=found["median_s_one"] / found["median_s"],
        gain_low=found["low_s_one"] / found["high_s"],
        gain_high=found["high_s_one"] / found["low_s"],
    )[["workload", "size", "values", "threads", "gain", "gain_low", "gain_high"]]


def _panel(axes: Axes, gains: pd.DataFrame, limits: tuple[float, float]) -> None:
    most = int(gains["threads"].max())
    headed(axes, gains["workload"].iloc[0], "dotted: ideal")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlim(0.93, most * 1.07)
    axes.set_ylim(*limits)
    axes.plot([1, most], [1, most], color=MUTED, linewidth=1.0, linestyle=":")
    axes.axhline(1.0, color=CONTEXT, linewidth=0.9)
    ends = {}
    for size, rows in gains.sort_values(["values", "threads"]).groupby("size", sort=False):
        line = [(1, 1.0), *zip(rows["threads"], rows["gain"], strict=True)]
        axes.vlines(
            rows["threads"], rows["gain_low"], rows["gain_high"], ACCENT, alpha=0.35, linewidth=4
        )
        axes.plot(*zip(*line, strict=True), color=ACCENT, marker="o", markersize=4, linewidth=1.2)
        ends[str(size).replace(" x ", " × ").partition(", ")[0]] = float(rows["gain"].iloc[-1])
    _name(axes, ends)
    counts = sorted({1, *gains["threads"]})
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:.0f}"))
    ticks = [tick for tick in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128) if tick <= limits[1]]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda gain, _: f"{gain:g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.set_xlabel("threads")
    axes.set_ylabel("times as fast as one")


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
    """Say what the lines mean, and what gains most and least."""
    gains = _gains(tables).sort_values("gain")
    least, best = gains.iloc[0], gains.iloc[-1]
    return (
        "Each line is a size, from one thread to more; the dotted line is as many times as fast as "
        "there are threads. Bars join the 95 % intervals of the two "
        "times. Small work is not parted at all, because waking a thread costs more than it gives. "
        f"With {best['threads']} threads, {best['workload']} gains most, {best['gain']:.2g} times "
        f"at {best['size'].replace(' x ', ' × ')}, and {least['workload']} least, "
        f"{least['gain']:.2g} times at {least['size'].replace(' x ', ' × ')}."
    )


def wants(tables: Tables) -> str:
    """Ask for times by one thread and by more."""
    return "" if len(_gains(tables)) else "times by one thread and by more in speed"


register(
    "thread_scaling",
    title="Speed by threads",
    caption=caption,
    needs=("speed",),
    draw=draw,
    section="speed",
    order=35,
    wants=wants,
)
