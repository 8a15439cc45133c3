"""Roofline of all kernels: operations a second against operations a byte.

After Williams, Waterman and Patterson (2009, doi:10.1145/1498765.1498785): memory bandwidth limits
kernels of few operations a byte, arithmetic the others.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from initperf_figures._axes import LINE_PITCH, headed, spread
from initperf_figures._figure import Tables, register
from initperf_figures._style import ACCENT, CONTEXT, INK, MUTED, RULE, regular, width

_HEIGHT = 5.0  # inches
_LEFT, _TOP, _BOTTOM = 0.95, 0.55, 0.55  # inches
_SHARES = 1.0  # inches at the right of the axes for leaders and shares, before the names
_LETTER = 4.4 / 72  # inches of a name
_BYTES, _OPERATIONS = "B/s", "FLOP/s"


def draw(tables: Tables) -> Figure:
    """Draw the roofs as lines, and a dot for each kernel, named at the right."""
    kernels, limits = tables["kernels"], tables["limits"]
    longest = max(len(_name(row)) for row in kernels.itertuples())
    right = min(_SHARES + _LETTER * longest, 0.6 * width())
    around = (_LEFT, right, _TOP, _BOTTOM)
    figure, (axes,) = regular(_HEIGHT, 1, 1, around=around, between=(0.0, 0.0))
    headed(axes, "One thread, float32", "grey: beyond what the hardware allows, as measured here")
    axes.set_xscale("log")
    axes.set_yscale("log")
    left, right = 0.5 * kernels["intensity"].min(), 2.0 * kernels["intensity"].max()
    peak = _peak(limits)
    top = 2.0 * max(peak, kernels["rate"].max())
    axes.set_xlim(left, right)
    axes.set_ylim(0.35 * kernels["rate"].min(), top)
    _roofs(axes, limits, np.geomspace(left, right, 200), peak, top)
    axes.scatter(kernels["intensity"], kernels["rate"], 22, ACCENT, linewidth=0, zorder=4)
    _names(axes, kernels)
    axes.set_xlabel("operations for each byte that is read or written")
    axes.set_ylabel("operations a second")
    axes.grid(visible=True, axis="both")
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(_rate))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    return figure


def _peak(limits: pd.DataFrame) -> float:
    """Return the rate of operations; without one, as where nothing is compiled, infinity."""
    rates = limits.loc[limits["unit"] == _OPERATIONS, "rate"].dropna()
    return float(rates.max()) if len(rates) else np.inf


def _roofs(axes: Axes, limits: pd.DataFrame, x: np.ndarray, peak: float, top: float) -> None:
    slopes = limits[limits["unit"] == _BYTES].sort_values("rate", ascending=False)
    shape = np.minimum(float(slopes["rate"].max()) * x, peak)
    axes.fill_between(x, np.minimum(shape, top), top, color=CONTEXT, alpha=0.5, linewidth=0)
    axes.plot(x, shape, color=INK, linewidth=0.9)
    for row in slopes.iloc[1:].itertuples():
        under = x[row.rate * x < peak]
        axes.plot(under, row.rate * under, color=MUTED, linewidth=0.9, linestyle="--")
    if np.isfinite(peak):
        words = f"fused multiply-adds: {_rate(peak, 0)}"
        _beside(axes, words, (x[-1], peak), (-4, 4), ha="right")
    # the slowest's foot: on the left edge where the axes go down further than it
    foot = max(axes.get_ylim()[0], float(slopes["rate"].min()) * axes.get_xlim()[0])
    for turn, row in enumerate(slopes.itertuples()):
        if turn == 0:  # the fastest near its bend, in the grey
            place, where, align = (
                (0.5 * min(peak, top) / row.rate, 0.5 * min(peak, top)),
                -6,
                "right",
            )
        else:  # the others one below the other, to the right of the slowest's foot
            height = foot * (0.9 + 0.35 * (len(slopes) - turn))
            place, where, align = (height / slopes["rate"].min(), height), 10, "left"
        _beside(axes, f"{row.limit}: {row.rate / 1e9:.3g} GB/s", place, (where, 0), ha=align)


def _beside(
    axes: Axes, words: str, place: tuple[float, float], points: tuple[float, float], **style: Any
) -> None:
    axes.annotate(
        words, place, points, textcoords="offset points", fontsize=7.5, color=INK, **style
    )


def _names(axes: Axes, kernels: pd.DataFrame) -> None:
    """Name the dots in a column at the right, in the order of their height, with leaders."""
    rows = kernels.sort_values("rate")
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    places = to_axes(rows[["intensity", "rate"]].to_numpy())
    tall = _HEIGHT - _TOP - _BOTTOM
    heights = spread(list(places[:, 1]), LINE_PITCH / 72 / tall, 0.0, 1.0)
    for (x, y), height, row in zip(places, heights, rows.itertuples(), strict=True):
        style: dict[str, Any] = {
            "transform": axes.transAxes,
            "color": RULE,
            "clip_on": False,
            "zorder": 2,
        }
        axes.plot([x, 1.0, 1.03], [y, height, height], linewidth=0.8, **style)
        share = f"{row.percent_of_limit:.0f} %" if np.isfinite(row.percent_of_limit) else "–"
        for words, where, align in (
            (share, 1.105, "right"),
            (_name(row), 1.12, "left"),
        ):
            axes.text(
                where,
                height,
                words,
                transform=axes.transAxes,
                ha=align,
                va="center_baseline",
                fontsize=7.5,
                color=MUTED if align == "right" else INK,
            )


def _name(row: Any) -> str:
    """Return the name and the size of a kernel."""
    return f"{row.kernel}  {row.size.replace(' x ', ' × ')}"


def _rate(rate: float, _place: int) -> str:
    for word, scale in (("billion", 1e9), ("million", 1e6)):
        if rate >= 0.9995 * scale:
            return f"{rate / scale:.3g} {word}"
    return f"{rate:.3g}"


def caption(_tables: Tables) -> str:
    """Return the caption."""
    return (
        "Each dot is a kernel; left of the ridge, memory bandwidth limits it, right of it, "
        "arithmetic. Operations are counted in the source; bytes are those of the arguments, each "
        "once. Percentages are of the limit measured for as many bytes, which may fit in a cache."
    )


def finding(tables: Tables) -> str:
    """Return how many kernels reach half of their limit, and which the most."""
    kernels = tables["kernels"]
    shares = kernels["percent_of_limit"].dropna()
    if shares.empty:
        return "No kernel was measured beside a limit."
    best = kernels.loc[shares.idxmax()]
    return (
        f"{int((shares >= 50).sum())} of {len(shares)} kernels reach half of what the hardware "
        f"allows or more, {best['kernel']} the most, {shares.max():.0f} %."
    )


register(
    "roofline",
    title="All kernels under the roofline",
    caption=caption,
    needs=("kernels", "limits"),
    draw=draw,
    finding=finding,
    printed=("kernels", "limits"),
    section="speed",
    order=40,
)
