"""Values of every seed of published claims, a panel a claim, on the claimed tolerance."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from initperf_figures._axes import headed
from initperf_figures._figure import Tables, register
from initperf_figures._style import CONTEXT, MUTED, across, canvas
from initperf_figures.claims import COLOURS, worst_first

_ROW_INCHES = 1.12  # a panel with its two lines of title
_MARGIN = 0.08  # of what is drawn, to either side


def span_of(claim: pd.Series, values: np.ndarray) -> tuple[float, float]:
    """Return the limits of a claim's axis: its values, interval and finite bounds, and a margin.

    Parameters
    ----------
    claim : pandas.Series
        Row of the table ``claims``.
    values : ndarray of shape (seeds,)
    """
    ends = [claim[name] for name in ("tolerance_low", "tolerance_high")]
    ends += [claim[name] for name in ("interval_low", "interval_high")]
    shown = [float(end) for end in (*ends, *values) if math.isfinite(end)]
    low, high = min(shown), max(shown)
    margin = _MARGIN * (high - low) or _MARGIN * abs(high) or 1.0
    return low - margin, high + margin


def draw(tables: Tables) -> Figure:
    """Draw a panel a claim, those that fail first."""
    claims, values = worst_first(tables["claims"]), tables["claim_values"]
    columns = min(across(4), len(claims))
    rows = -(-len(claims) // columns)
    figure = canvas(0.2 + _ROW_INCHES * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes, (_, claim) in zip(panels[: len(claims)], claims.iterrows(), strict=True):
        own = values[values["claim"] == claim["claim"]].sort_values("seed")
        _panel(axes, claim, own["value"].to_numpy(float))
    for axes in panels[len(claims) :]:
        axes.remove()
    figure.supxlabel("value of the claim’s quantity", color=MUTED)
    return figure


def _panel(axes: Axes, claim: pd.Series, values: np.ndarray) -> None:
    colour = COLOURS[claim["verdict"]]
    low, high = span_of(claim, values)
    bounds = (float(claim["tolerance_low"]), float(claim["tolerance_high"]))
    axes.axvspan(max(bounds[0], low), min(bounds[1], high), color=CONTEXT, alpha=0.45, linewidth=0)
    places = np.linspace(0.85, 0.3, len(values))
    axes.scatter(values, places, s=9, color=colour, linewidths=0, alpha=0.75)
    axes.hlines(0.12, claim["interval_low"], claim["interval_high"], color=colour, linewidth=2.0)
    axes.scatter(claim["mean"], 0.12, s=16, color=colour, zorder=3)
    axes.set_xlim(low, high)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([])
    axes.grid(visible=False)
    ticks = [bound for bound in bounds if math.isfinite(bound)]
    if len(ticks) == 2 and ticks[1] - ticks[0] < 0.35 * (high - low):
        ticks = [0.5 * (ticks[0] + ticks[1])]  # two labels would lie on each other
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    digits = next(n for n in range(6, 18) if len({_text(tick, n) for tick in ticks}) == len(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _text(value, digits)))
    axes.tick_params(axis="x", labelsize=7.0)
    headed(axes, claim["claim"], f"{_text(claim['mean'])}: {claim['verdict']}", size=7.5)


def _text(value: float, digits: int = 6) -> str:
    """Return a number with six digits or more: tolerances may be narrower than 1e-6 of it."""
    return f"{value:.{digits}g}".replace("-", "−")


def numbers(tables: Tables) -> pd.DataFrame:
    """Return a row a claim: its smallest, median and largest value, and the share inside."""
    claims = worst_first(tables["claims"]).set_index("claim")
    values = tables["claim_values"]
    low = values["claim"].map(claims["tolerance_low"])
    high = values["claim"].map(claims["tolerance_high"])
    found = values.assign(inside=values["value"].between(low, high)).groupby("claim")
    columns = found["value"].agg(["size", "min", "median", "max"])
    columns.columns = pd.Index(["seeds", "smallest", "median", "largest"])
    columns["inside"] = found["inside"].mean()
    return columns.loc[claims.index].reset_index()


def finding(tables: Tables) -> str:
    """Return in how many claims every seed lies inside of the tolerance, and in how many none."""
    inside = numbers(tables)["inside"]
    return (
        f"Every seed is inside of the tolerance in {int((inside == 1).sum())} of {len(inside)} "
        f"claims, and none in {int((inside == 0).sum())}."
    )


register(
    "claim_values",
    title="Every seed of every claim",
    caption=(
        "Dots are seeds, the first at the top; the line below them is the mean with its interval "
        "of 99 %. The tolerance is grey, and its bounds, or its middle where it is narrow, are "
        "on the axis. A verdict is of the mean: single seeds may lie outside."
    ),
    needs=("claims", "claim_values"),
    draw=draw,
    finding=finding,
    numbers=numbers,
    section="claims",
)
