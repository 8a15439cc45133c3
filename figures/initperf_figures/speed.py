"""Time of each workload by method: NumPy reference, NumPy, other libraries and Numba."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from initperf_figures._axes import headed
from initperf_figures._figure import WORKLOAD, Tables, register
from initperf_figures._style import ACCENT, INK, MUTED, RIVAL, RULE, canvas

_COLOURS = {"ours": ACCENT, "rival": RIVAL, "reference": MUTED}
_COLUMNS = 2
# Decades that an axis spans, and the ticks in each; with fewer than two, matplotlib sets its own.
_STEPS = (
    (0.8, (1.0, 2.0, 3.0, 5.0, 7.0)),
    (1.2, (1.0, 2.0, 5.0)),
    (1.8, (1.0, 3.0)),
    (np.inf, (1.0,)),
)
_ROW, _HEAD = 0.2, 0.95  # inches
_FAR = 4.0  # times the largest median, or less than the least, to which intervals are shown
_LETTER = 4.5  # points, of a method's name


def draw(tables: Tables) -> Figure:
    """Draw a panel for each workload and size, a row for each method."""
    speed = shown(tables["speed"])
    panels = [group for _, group in speed.groupby([WORKLOAD, "size", "dtype"], sort=False)]
    pairs = [panels[start : start + _COLUMNS] for start in range(0, len(panels), _COLUMNS)]
    heights = [_HEAD + _ROW * max(map(len, pair)) for pair in pairs]
    figure = canvas(sum(heights))
    grid = figure.add_gridspec(len(pairs), _COLUMNS, height_ratios=heights)
    before = _LETTER * speed["method"].str.len().max()  # where the names of methods begin
    for place, group in enumerate(panels):
        row, column = divmod(place, _COLUMNS)
        axes = figure.add_subplot(grid[row, column])
        _panel(axes, group, rows=max(map(len, pairs[row])), before=before)
    return figure


def shown(speed: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of every network, and of at most two sizes of what has other sizes.

    Each network is a workload of its own. Of three matrices or more, the middle one and the
    largest show how time grows.
    """
    kept = []
    for (workload, dtype), group in speed.groupby([WORKLOAD, "dtype"], sort=False):
        sizes = list(group.sort_values("values", kind="stable")["size"].unique())
        if len(sizes) > 2 and not all(" steps of " in size for size in sizes):
            sizes = [sizes[(len(sizes) - 1) // 2], sizes[-1]]
        kept += [(workload, dtype, size) for size in sizes]
    return speed[pd.MultiIndex.from_frame(speed[[WORKLOAD, "dtype", "size"]]).isin(kept)]


def baseline(group: pd.DataFrame) -> pd.Series:
    """Return the row of the baseline: the fastest rival, else the reference."""
    rivals = group[group["role"] == "rival"]
    candidates = rivals if len(rivals) else group[group["role"] == "reference"]
    candidates = candidates if len(candidates) else group
    return candidates.loc[candidates["median_s"].idxmin()]


def _panel(axes: Axes, group: pd.DataFrame, rows: int, before: float) -> None:
    first = group.iloc[0]
    against = baseline(group)
    layers, _, batch = str(first["size"]).partition(", ")
    title = f"{first[WORKLOAD]}  {layers}"
    headed(axes, title, _remark(group, batch), before=before)
    axes.set_xscale("log")
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    left, right = _ends(group)
    axes.set_xlim(left, right)
    places = np.arange(len(group))
    colours = [_COLOURS.get(role, INK) for role in group["role"]]
    axes.hlines(places, left, group["median_s"], color=RULE, linewidth=1.0, zorder=1)
    axes.hlines(places, group["low_s"], group["high_s"], color=colours, alpha=0.45, linewidth=4.5)
    axes.vlines(group["limit_s"], places - 0.36, places + 0.36, color=INK, linewidth=1.1)
    axes.scatter(group["median_s"], places, 17.6, colours, linewidth=0, zorder=3)
    for place, line in enumerate(group.itertuples()):
        same = line.method == against["method"]
        ratio = "1" if same else times(against["median_s"] / line.median_s)
        weight = "bold" if line.role == "ours" else "normal"
        columns = (duration(line.median_s), ratio)
        _beside(axes, place, 0, columns, color=MUTED if same else INK, weight=weight)
    _beside(axes, -0.6, 19.5, ("median", f"× {against['method'].split(',')[0]}"), color=MUTED)
    axes.set_yticks(range(len(group)), group["method"])
    axes.tick_params(axis="y", colors=INK, pad=6)
    for label, role in zip(axes.get_yticklabels(), group["role"], strict=True):
        label.set_color(_COLOURS.get(role, INK))
    axes.set_ylim(rows - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    decades = np.log10(axes.get_xlim()[1] / left)
    steps = next(steps for most, steps in _STEPS if decades < most)
    axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=9 if decades < 4 else 5))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("median time")


def _ends(group: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of a panel's axis: medians, limits, and intervals unless they go far."""
    low, high = group["low_s"].min(), group["high_s"].max()
    least, most = group["median_s"].min(), group["median_s"].max()
    left = min(max(low, least / _FAR), group[["median_s", "limit_s"]].min(axis=None))
    return 0.8 * float(left), 1.25 * float(min(high, most * _FAR))


def _cut(speed: pd.DataFrame) -> bool:
    """Return whether an interval reaches beyond the axis of its panel."""
    for _, group in speed.groupby([WORKLOAD, "size", "dtype"], sort=False):
        left, right = _ends(group)
        if group["low_s"].min() < left or group["high_s"].max() > right:
            return True
    return False


def _beside(axes: Axes, place: float, above: float, columns: tuple[str, str], **style: Any) -> None:
    """Write two columns to the right of the axes, some points above a row's place."""
    for points, words in zip((44, 104), columns, strict=True):
        move = ScaledTranslation(points / 72, above / 72, axes.figure.dpi_scale_trans)
        beside = axes.get_yaxis_transform() + move
        style |= {"ha": "right", "va": "center_baseline", "fontsize": 7.5}
        axes.text(1.0, place, words, transform=beside, in_layout=above > 0, **style)


def _remark(group: pd.DataFrame, batch: str) -> str:
    limits = group[group["limit_s"].notna()].sort_values("limit_s")
    words = [batch] * bool(batch) + [str(group["dtype"].iloc[0])]
    words += [f"limit {duration(row.limit_s)}, {row.limit}" for row in limits[:1].itertuples()]
    return " · ".join(words)


def _tick(seconds: float, _place: int) -> str:
    return duration(seconds).replace(".0 ", " ")


def times(ratio: float) -> str:
    """Return a ratio of speeds as text, with two digits."""
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:#.2g}"


def duration(seconds: float) -> str:
    """Return a time as text, with two digits and a unit from ns to s."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if seconds >= 0.9995 * scale or unit == "ns":
            value = seconds / scale
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:#.2g} {unit}"
    raise AssertionError


def caption(tables: Tables) -> str:
    """Return the caption, with the time of the first calls."""
    speed = tables["speed"]
    first = speed.dropna(subset="first_call_s").groupby("role")["first_call_s"].max()
    words = "Times exclude the first call, which compiles what is not compiled yet"
    took = [
        f"{duration(first[role])} {whose}"
        for role, whose in (("ours", "of methods here"), ("rival", "of other libraries"))
        if role in first
    ]
    if took:
        words += f": at most {' and '.join(took)}"
    if len(shown(speed)) < len(speed):
        words += ". Of three sizes of a matrix or more, the middle and the largest are here"
    cut = ", cut where they go far" if _cut(shown(speed)) else ", often narrower than the dot"
    return (
        f"Dots are medians, bars their 95 % intervals{cut}; time is on a log scale. The last "
        "column is the speed relative to the fastest other library: below 1, a method is slower. "
        "The vertical stroke is the least time that the hardware allows. The NumPy reference is a "
        f"specification and not meant to be fast. {words}."
    )


def finding(tables: Tables) -> str:
    """Return in how many workloads the fastest method here beats the fastest other library."""
    rows = tables["speed"]
    keys = [WORKLOAD, "size"]
    ours = rows[rows["role"] == "ours"].groupby(keys)["median_s"].min()
    others = rows[rows["role"] == "rival"].groupby(keys)["median_s"].min()
    both = (others / ours).dropna().sort_values()
    if both.empty:
        return "No workload was timed with another library beside."
    faster = int((both > 1).sum())
    (name, size), (slow, slow_size) = both.index[-1], both.index[0]
    return (
        f"The compiled kernels are faster than every other library in {faster} of {len(both)} "
        f"workloads, by × {times(both.iloc[-1])} at most ({name}, {size}) and × "
        f"{times(both.iloc[0])} at least ({slow}, {slow_size})."
    )


register(
    "speed",
    title="Time by method",
    caption=caption,
    needs=("speed",),
    draw=draw,
    finding=finding,
    printed=("speed",),
    section="speed",
    order=10,
)
