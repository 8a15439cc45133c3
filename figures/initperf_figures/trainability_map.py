"""Test accuracy over weight variance and depth, with the trainable depth that theory expects.

After figures 5 and 6 of Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, "Deep information
propagation", ICLR 2017 (1611.01232).
"""

import functools
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from matplotlib.tri import LinearTriInterpolator, Triangulation

from initperf_figures._axes import activation_name, activations_of, thinned
from initperf_figures._figure import Tables, register
from initperf_figures._style import across, canvas

_GUESSING = 0.1  # accuracy of ten classes, which a run that diverged is drawn with
_COLOURS = "viridis"
_LIGHT, _DARK = "#fdfdfd", "#101418"  # not the page's ink and paper: the map stays as it is
_LEVELS = np.linspace(0.0, 1.0, 21)
_PANEL_INCHES = 3.1
_STEPS = 181  # across and up, of the grid that is interpolated
_FEWEST = 3  # weight variances, and depths, of a map
_DEPTHS = (2, 100, 10, 30, 5, 50, 20, 3, 300, 1000, 1, 200, 500)

Key = tuple[str, int, float]


def draw(tables: Tables) -> Figure:
    """Draw a map for each activation and width."""
    table = scored(tables["trainability"])
    keys = panels_of(table)
    columns = min(across(3), len(keys))
    rows = -(-len(keys) // columns)
    figure = canvas(0.75 + _PANEL_INCHES * rows)
    panels = figure.subplots(rows, columns, squeeze=False)
    several = len({key[1:] for key in keys}) > 1
    drawn: Any = None
    for axes, key in zip(panels.flat, keys, strict=False):
        drawn = _panel(axes, table[_of(table, key)], key)
        axes.set_title(activation_name(key[0]) + (f", width {key[1]}" if several else ""))
    for axes in panels.flat[len(keys) :]:
        axes.remove()
    bar = figure.colorbar(
        drawn, ax=figure.axes, location="right", pad=0.015, aspect=30 * rows, fraction=0.03
    )
    bar.set_label("test accuracy (%)")
    bar.set_ticks([0.0, 0.25, 0.5, 0.75, 1.0], labels=["0", "25", "50", "75", "100"])
    bar.outline.set_visible(False)
    figure.legend(handles=_legend(), loc="outside upper left", ncols=across(5), handlelength=2.6)
    return figure


def scored(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean accuracy of each point over its seeds, and how many runs diverged."""
    lost = table["status"] == "diverged"
    runs = table.assign(score=table["test_accuracy"].where(~lost, _GUESSING), lost=lost)
    keys = ["activation", "width", "bias_variance", "weight_variance", "depth"]
    return (
        runs.groupby(keys, sort=True)
        .agg(score=("score", "mean"), lost=("lost", "mean"))
        .reset_index()
    )


def panels_of(table: pd.DataFrame) -> list[Key]:
    """Return activation, width and σb² of each map."""
    order = activations_of(table)
    keys = table[["activation", "width", "bias_variance"]].drop_duplicates()
    found = [(str(a), int(w), float(b)) for a, w, b in keys.itertuples(index=False)]
    return sorted(found, key=lambda key: (key[1], key[2], order.index(key[0])))


def _of(table: pd.DataFrame, key: Key) -> "pd.Series[bool]":
    activation, width, bias = key
    return (
        (table["activation"] == activation)
        & (table["width"] == width)
        & (table["bias_variance"] == bias)
    )


def _panel(axes: Axes, own: pd.DataFrame, key: Key) -> QuadContourSet:
    variances, depths = own["weight_variance"].to_numpy(), own["depth"].to_numpy(float)
    x = np.linspace(variances.min(), variances.max(), _STEPS)
    y = np.geomspace(depths.min(), depths.max(), _STEPS)
    values = interpolated(own, x, y)
    drawn = axes.contourf(x, y, values, levels=_LEVELS, cmap=_COLOURS, zorder=1)
    level = half_way_of(own)
    if values.min() < level < values.max():
        axes.contour(x, y, values, levels=[level], colors=[_DARK], linewidths=1.1, zorder=3)
    _points(axes, own)
    _theory(axes, key, (x[0], x[-1]))
    axes.set_yscale("log")
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    inside = [depth for depth in _DEPTHS if y[0] <= depth <= y[-1]]
    ticks = thinned(inside, np.log, float(np.log(y[-1] / y[0])) / 12)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda depth, _: f"{depth:g}"))
    axes.set_xlabel("σw², weight variance times fan-in")
    axes.set_ylabel("depth (hidden layers)")
    axes.grid(visible=False)
    return drawn


def interpolated(own: pd.DataFrame, x: Any, y: Any) -> np.ndarray:
    """Return accuracies on a regular grid, linear within triangles of the points.

    Parameters
    ----------
    own : pandas.DataFrame
        ``weight_variance``, ``depth``, ``score`` of one map.
    x, y : numpy.ndarray
        Weight variances and depths of the grid.

    Returns
    -------
    numpy.ndarray
        (depths, variances).
    """

    def scaled(variance: Any, depth: Any) -> tuple[Any, Any]:
        across_ = (variance - x[0]) / (x[-1] - x[0])
        return across_, np.log(depth / y[0]) / np.log(y[-1] / y[0])

    places = scaled(own["weight_variance"].to_numpy(), own["depth"].to_numpy(float))
    surface = LinearTriInterpolator(Triangulation(*places), own["score"].to_numpy())
    # a hair inside, as rounding puts points of the edge outside of all triangles
    grid = (np.clip(part, 1e-9, 1 - 1e-9) for part in scaled(*np.meshgrid(x, y)))
    return np.asarray(np.ma.filled(surface(*grid), _GUESSING))


def half_way_of(own: pd.DataFrame) -> float:
    """Return the accuracy half-way from guessing to the best of a map."""
    return 0.5 * (_GUESSING + float(own["score"].max()))


def _points(axes: Axes, own: pd.DataFrame) -> None:
    lost = own["lost"] == 1.0
    style: dict[str, Any] = {"linestyle": "", "color": _LIGHT, "alpha": 0.65, "zorder": 2}
    for which, marker, size in ((~lost, "o", 1.5), (lost, "x", 2.6)):
        some = own[which]
        axes.plot(
            some["weight_variance"],
            some["depth"],
            marker=marker,
            markersize=size,
            markeredgewidth=0.6 if marker == "x" else 0.0,
            **style,
        )


def _theory(axes: Axes, key: Key, ends: tuple[float, float]) -> None:
    x, depths, critical = theory_of(key[0], key[2], ends)
    axes.plot(x, depths, **_line("-"))
    if ends[0] < critical < ends[1]:
        axes.axvline(critical, **_line((0, (3.2, 2.0))))


def _line(dash: Any) -> dict[str, Any]:
    halo = [Stroke(linewidth=3.0, foreground=_DARK, alpha=0.55), Normal()]
    return {
        "color": _LIGHT,
        "linestyle": dash,
        "linewidth": 1.4,
        "zorder": 4,
        "path_effects": halo,
    }


@functools.lru_cache(maxsize=64)
def theory_of(
    activation: str, bias_variance: float, ends: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return weight variances, the trainable depths there, and the critical weight variance.

    Parameters
    ----------
    activation : str
    bias_variance : float
        σb².
    ends : tuple of float
        The least and the largest weight variance.
    """
    from initperf.theory import critical_weight_variance, trainable_depth

    x = np.linspace(*ends, _STEPS)
    try:
        critical = critical_weight_variance(activation, bias_variance)
    except ValueError:  # a phase without end
        critical = np.inf
    return x, np.minimum(trainable_depth(activation, x, bias_variance), 1e9), critical


def _legend() -> list[Line2D]:
    """Return handles as the lines look on the maps, and seen on a light page and on a dark one."""
    grey = "#8a919c"
    halo = [Stroke(linewidth=2.9, foreground=_LIGHT), Normal()]
    return [
        Line2D([], [], **_line("-"), label="6ξ, theory"),
        Line2D([], [], **_line((0, (3.2, 2.0))), label="critical σw²"),
        Line2D(
            [],
            [],
            color=_DARK,
            linewidth=1.1,
            path_effects=halo,
            label="half-way from guessing to the best",
        ),
        Line2D([], [], color=grey, linestyle="", marker="o", markersize=2.5, label="trained"),
        Line2D([], [], color=grey, linestyle="", marker="x", markersize=3.5, label="diverged"),
    ]


def caption(tables: Tables) -> str:
    """Return the caption."""
    table = tables["trainability"]
    first = table.iloc[0]
    seeds = int(table["seed"].nunique())
    passes = "1 epoch" if first["epochs"] == 1 else f"{first['epochs']} epochs"
    return (
        f"Test accuracy after {passes} of {first['dataset']}, {first['optimizer']}, rate "
        f"{first['learning_rate']:g}, batch {first['batch_size']}, σb² = "
        f"{first['bias_variance']:g}; {'one seed' if seeds == 1 else f'means of {seeds} seeds'}. "
        "Dots are the networks that were trained, denser where accuracy changes; between them it "
        "is interpolated. 6ξ is the depth to which inputs stay apart, or, where signals grow "
        "without bound, in which gradients grow e⁶-fold: a rule of thumb that more steps move up."
    )


def finding(tables: Tables) -> str:
    """Return where the deepest networks learn, beside theory's critical line."""
    table = scored(tables["trainability"])
    words = []
    for key in panels_of(table):
        own = table[_of(table, key)]
        learned = own[own["score"] >= half_way_of(own)]
        deepest = learned[learned["depth"] == learned["depth"].max()]
        best = deepest.loc[deepest["score"].idxmax()]
        ends = float(own["weight_variance"].min()), float(own["weight_variance"].max())
        critical = theory_of(key[0], key[2], ends)[2]
        beside = f", critical is {critical:.2f}" if np.isfinite(critical) else ""
        words.append(
            f"{activation_name(key[0])} of width {key[1]} to depth {int(best['depth'])} at σw² = "
            f"{best['weight_variance']:.2f}{beside}"
        )
    return f"The deepest networks that learn half-way: {'; '.join(words)}."


def wants(tables: Tables) -> str:
    """Return in words what a map lacks, nothing where it can be drawn."""
    table = tables["trainability"]
    counts = table.groupby(["activation", "width", "bias_variance"])[["weight_variance", "depth"]]
    if (counts.nunique() < _FEWEST).any(axis=None):
        return f"{_FEWEST} weight variances and {_FEWEST} depths of each map"
    return ""


def numbers(tables: Tables) -> pd.DataFrame:
    """Return the mean accuracy at each depth, at the weight variance where it is highest."""
    points = tables["trainability"]
    keys = ["activation", "depth", "weight_variance"]
    means = points.groupby(keys)["test_accuracy"].mean().dropna().reset_index()
    best = means.loc[means.groupby(["activation", "depth"])["test_accuracy"].idxmax()]
    return best.reset_index(drop=True)


register(
    "trainability_map",
    title="Where networks train: weight scale and depth",
    caption=caption,
    needs=("trainability",),
    draw=draw,
    numbers=numbers,
    finding=finding,
    wants=wants,
    section="maps",
    order=10,
)
