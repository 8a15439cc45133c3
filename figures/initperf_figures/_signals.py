"""Signal propagation of a PyTorch model: results forward, gradients backward, theory beside.

It is drawn from the table of `initperf.torch.check`, and is no figure of the report.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, NullLocator

from initperf_figures._axes import power
from initperf_figures._style import ACCENT, CONTEXT, INK, MUTED, RULE, canvas, look, width

ALARM = "#cb3f16"
TRUNK = "#12a862"
_HEIGHT = 5.6  # inches
_MANY = 120  # operations, from which on lines are thin
_LETTER = 0.062  # inches of a letter of a tick label
_LOWEST, _HIGHEST = 1e-12, 1e12
_LAYERS = ("linear", "convolution", "recurrent", "embedding")
_PANELS = (
    ("forward", "Forward", "root mean square of each result"),
    ("loss", "Backward, under the loss", "root mean square of each gradient"),
    ("cotangent", "Backward, from random cotangents", "root mean square of each gradient"),
)


def signal_figure(table: pd.DataFrame, findings: Sequence[Mapping[str, Any]] = ()) -> Figure:
    """Draw root mean squares of all operations, in the order of execution, on log axes.

    Parameters
    ----------
    table : pandas.DataFrame
        A row an operation, seed and direction: ``name``, ``kind``, ``seed``, ``direction``,
        ``mean``, ``second_moment``, ``predicted``, ``predicted_low``, ``predicted_high``.
    findings : sequence of mapping
        With ``name``, ``kind`` and ``layers``; each is marked at the first operation among its
        name and its layers, if there is one.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each direction: the median over seeds with a band from the least to the
        greatest, dots at layers with weights, a line through residual additions, theory's line
        and band where theory says something. Operations of the loss are left out.
    """
    table = table[table["kind"] != "loss"]
    forward = table[table["direction"] == "forward"]
    places = {name: place for place, name in enumerate(dict.fromkeys(forward["name"]))}
    present = [each for each in _PANELS if (table["direction"] == each[0]).any()][:2]
    with look():
        figure = canvas(0.6 + (_HEIGHT - 0.6) * len(present) / 2)
        panels = figure.subplots(len(present), 1, squeeze=False, sharex=True).flat
        for axes, (direction, title, label) in zip(panels, present, strict=True):
            rows = table[(table["direction"] == direction) & table["name"].isin(places)]
            _panel(axes, rows.assign(place=rows["name"].map(places)))
            axes.set_title(title)
            axes.set_ylabel(label)
        _mark(figure.axes[0], forward, places, findings)
        layers = set(forward[forward["kind"].isin(_LAYERS)]["name"])
        _ticks(figure.axes[-1], list(places), layers)
        figure.axes[-1].set_xlabel("operations in the order of execution")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw one direction."""
    size = np.sqrt(rows["second_moment"].where(rows["second_moment"] > 0.0))
    size = size.where(np.isfinite(size)).clip(_LOWEST, _HIGHEST)
    summary = size.groupby(rows["place"]).agg(["min", "median", "max"])
    axes.set_yscale("log")
    low, high = _range(summary)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda y, _: power(round(np.log10(y))) if y > 0 else "0")
    )
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(-0.5, rows["place"].max() + 0.5)
    theory = rows.dropna(subset=["predicted"]).groupby("place").first()
    if len(theory):
        whole = theory.reindex(range(int(rows["place"].max()) + 1))
        axes.fill_between(
            whole.index,
            np.sqrt(whole["predicted_low"]),
            np.sqrt(whole["predicted_high"]),
            color=CONTEXT,
            alpha=0.55,
            linewidth=0,
            zorder=1,
        )
        axes.plot(
            whole.index,
            np.sqrt(whole["predicted"]),
            color=INK,
            alpha=0.45,
            linewidth=3.2 if len(summary) <= _MANY else 2.0,
            solid_capstyle="butt",
            zorder=2,
            label="theory, and the band of chance",
        )
    if rows["seed"].nunique() > 1:
        axes.fill_between(
            summary.index, summary["min"], summary["max"], color=ACCENT, alpha=0.16, linewidth=0
        )
    wide = 1.2 if len(summary) <= _MANY else 0.8
    axes.plot(
        summary.index, summary["median"], color=ACCENT, linewidth=wide, zorder=3, label="measured"
    )
    trunk = sorted(rows[rows["kind"] == "residual"]["place"].unique())
    if len(trunk) > 1:
        axes.plot(
            trunk,
            summary["median"].reindex(trunk),
            color=TRUNK,
            linewidth=1.8,
            zorder=4,
            label="trunk, after each addition",
        )
    layers = rows[rows["kind"].isin(_LAYERS)]["place"].unique()
    axes.plot(
        layers,
        summary["median"].reindex(layers),
        color=ACCENT,
        linestyle="",
        marker="o",
        markersize=3.4,
        markeredgewidth=0,
        zorder=5,
        label="layers with weights",
    )
    masked = rows[np.isneginf(rows["mean"])]["place"]  # −∞ alone is a mask before a softmax
    nothing = sorted(set(rows["place"]) - {*summary["median"].dropna().index, *masked})
    if nothing:
        axes.plot(
            nothing,
            np.full(len(nothing), low),
            color=ALARM,
            linestyle="",
            marker="v",
            markersize=4.5,
            markeredgewidth=0,
            clip_on=False,
            zorder=5,
            label="all zero, or not finite",
        )
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=5, columnspacing=1.4)


def _range(summary: pd.DataFrame) -> tuple[float, float]:
    """Return limits at powers of ten, at least three apart."""
    seen = summary.to_numpy().ravel()
    seen = seen[np.isfinite(seen)]
    seen = np.log10(seen) if len(seen) else np.zeros(1)
    low, high = float(np.floor(seen.min() - 0.1)), float(np.ceil(seen.max() + 0.1))
    more = max(0.0, 3.0 - (high - low))
    return 10.0 ** (low - math.ceil(more / 2)), 10.0 ** (high + math.floor(more / 2))


def _mark(
    axes: Axes,
    rows: pd.DataFrame,
    places: Mapping[str, int],
    findings: Sequence[Mapping[str, Any]],
) -> None:
    """Mark the operations that findings name.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of the direction forward.
    rows : pandas.DataFrame
        Of that direction.
    places : mapping of str to int
        Places of operations on the x axis.
    findings : sequence of mapping
    """
    sizes = np.sqrt(rows.groupby("name")["second_moment"].median())
    low, high = axes.get_ylim()
    known = places.keys() & set(sizes.index)
    named = [(next(_operations(each, known), ""), each) for each in findings]
    named = [pair for pair in named if pair[0]]
    before, lifted = -math.inf, 0
    for name, each in sorted(named, key=lambda pair: places[pair[0]]):
        # labels of neighbours stand one above the other
        lifted = lifted + 1 if places[name] - before < 0.15 * len(places) else 0
        before = places[name]
        y = float(np.clip(np.nan_to_num(sizes[name], nan=low, posinf=high), low, high))
        right = places[name] > 0.75 * len(places)
        axes.plot(
            [places[name]],
            [y],
            marker="o",
            markersize=8,
            markerfacecolor="none",
            markeredgecolor=ALARM,
            markeredgewidth=1.4,
            zorder=6,
            clip_on=False,
        )
        axes.annotate(
            f"{each['kind']}: {each['name']}",
            (places[name], y),
            (-8 if right else 8, 9 + 13 * lifted),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7.5,
            color=ALARM,
            zorder=6,
        )


def _operations(finding: Mapping[str, Any], known: Set[str]) -> Iterator[str]:
    """Visit the operations that a finding names, which may begin with a parameter."""
    return (name for name in (finding["name"], *finding.get("layers", ())) if name in known)


def _ticks(axes: Axes, names: Sequence[str], layers: Set[str]) -> None:
    """Name blocks along the x axis, as many as have room.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The lowest of the figure.
    names : sequence of str
        Operations in the order of the axis.
    layers : set of str
        Those with weights; blocks without one are not named where others have one.
    """
    blocks = [
        (block, members[0][0], any(name in layers for _, name in members))
        for block, found in groupby(enumerate(names), key=lambda each: block_of(each[1]))
        if (members := list(found))
    ]
    held = [each for each in blocks if each[2]] or blocks
    room = (width() - 0.9) / max(len(names), 1)  # inches of an operation
    kept: list[tuple[int, str]] = []
    free = 0.0
    for block, place, _ in held:
        wide = _LETTER * len(block)
        if place * room >= free and place * room + wide < width() - 0.7:
            kept.append((place, block))
            free = place * room + wide + 0.18
    for each in axes.figure.axes:
        for place, _ in kept:
            each.axvline(place - 0.5, color=RULE, linewidth=0.6, zorder=0)
    axes.xaxis.set_major_locator(FixedLocator([place for place, _ in kept]))
    axes.xaxis.set_major_formatter(FixedFormatter([block for _, block in kept]))
    short = all(len(block) < 4 for _, block in kept)
    for label in axes.get_xticklabels():
        label.set_horizontalalignment("center" if short else "left")
        label.set_color(MUTED)


def block_of(name: str) -> str:
    """Return the block of an operation: its path up to the first number, or its first part."""
    path = name.partition(":")[0].partition(" (")[0]
    parts = path.split(".")
    for place, part in enumerate(parts):
        if part.isdecimal():
            return ".".join(parts[: place + 1])
    return parts[0] or name
