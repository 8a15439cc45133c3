"""Published claims: confidence intervals against the claimed tolerances, and verdicts."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from initperf._core.cells import cell
from initperf_figures._figure import Tables, register
from initperf_figures._style import ACCENT, CONTEXT, INK, MUTED, canvas

_REACH = 3.0  # half widths of a tolerance to either side that are drawn
COLOURS = {"holds": "#0e8f6a", "fails": "#cb3f16", "not decidable here": MUTED}
_ROW_INCHES = 0.21


def worst_first(claims: pd.DataFrame) -> pd.DataFrame:
    """Return claims sorted by verdict, those that fail first, and by name.

    Parameters
    ----------
    claims : pandas.DataFrame
        With the columns ``claim`` and ``verdict``.
    """
    order = {"fails": 0, "not decidable here": 1, "holds": 2}
    return claims.sort_values(
        ["verdict", "claim"], key=lambda x: x.map(order) if x.name == "verdict" else x
    )


def in_tolerances(claims: pd.DataFrame) -> pd.DataFrame:
    """Return mean and interval of each claim on the scale of its tolerance: −1 to 1 is inside.

    Columns ``mean``, ``low`` and ``high``, cut at 3 to either side. Of a tolerance with one bound,
    the distance from 0 to the bound, or 1, is the half width; of one without width anything but
    the number itself is cut.
    """
    low, high = claims["tolerance_low"].to_numpy(float), claims["tolerance_high"].to_numpy(float)
    bound = np.where(np.isfinite(low), low, high)
    open_half = np.where(bound == 0.0, 1.0, np.abs(bound))
    low = np.where(np.isfinite(low), low, high - 2.0 * open_half)
    high = np.where(np.isfinite(high), high, low + 2.0 * open_half)
    half = np.maximum(0.5 * (high - low), 1e-12)
    columns = {"mean": "mean", "low": "interval_low", "high": "interval_high"}
    return pd.DataFrame(
        {
            name: np.clip((claims[column].to_numpy(float) - 0.5 * (low + high)) / half, -3, 3)
            for name, column in columns.items()
        }
    )


def draw(tables: Tables) -> Figure:
    """Draw one row a claim, those that fail first."""
    claims = worst_first(tables["claims"])
    scaled = in_tolerances(claims)
    figure = canvas(0.9 + _ROW_INCHES * len(claims))
    axes = figure.subplots()
    rows = np.arange(len(claims))
    axes.axvspan(-1.0, 1.0, color=CONTEXT, alpha=0.45, linewidth=0)
    for verdict, colour in COLOURS.items():
        chosen = (claims["verdict"] == verdict).to_numpy()
        if not chosen.any():
            continue
        part, y = scaled[chosen], rows[chosen]
        axes.hlines(y, part["low"], part["high"], color=colour, linewidth=1.6)
        axes.scatter(part["mean"], y, s=18, color=colour, zorder=3, label=verdict)
    for y, row in zip(rows, claims.itertuples(), strict=True):
        axes.annotate(
            cell(row.mean, missing="–", typographic=True),
            (1.0, y),
            (5, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
        )
    axes.set_yticks(rows, list(claims["claim"]))
    axes.set_ylim(len(claims) - 0.4, -0.6)
    axes.set_xlim(-_REACH - 0.1, _REACH + 0.1)
    axes.set_xticks([-1.0, 0.0, 1.0], ["lower bound", "middle of the tolerance", "upper bound"])
    axes.set_xlabel("mean and interval, relative to the tolerance")
    axes.grid(visible=False)
    axes.axvline(0.0, color=ACCENT, linewidth=0.7)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


_CAPTION = (
    "Dots are means over seeds and lines their 99 % intervals, on the scale of each claim's "
    "tolerance, which is grey and was fixed before; the number to the right is the mean. What lies "
    "beyond the axis is drawn at its end."
)


def finding(tables: Tables) -> str:
    """Return how many claims have which verdict."""
    verdicts = tables["claims"]["verdict"]
    counts = {verdict: int((verdicts == verdict).sum()) for verdict in COLOURS}
    return (
        f"Of {len(verdicts)} published claims, {counts['holds']} hold, {counts['fails']} fail, "
        f"and {counts['not decidable here']} are not decidable here."
    )


register(
    "claims",
    title="Claims and measurements",
    caption=_CAPTION,
    needs=("claims",),
    draw=draw,
    finding=finding,
    section="claims",
    printed=("claims",),
)
