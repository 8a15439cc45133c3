"""Similarity of the units of a layer after some steps: equal weights stay equal."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

from initperf_figures._axes import activation_name, activations_of, headed
from initperf_figures._figure import Tables, register
from initperf_figures._numbers import ordered
from initperf_figures._style import ACCENT, INK, MUTED, PAPER, across, canvas, in_order

_SAME = 1 - 1e-6
_OPPOSITE = "#c4960c"
# transparent where units are unrelated, so that the page shows, light or dark
_COLOURS = LinearSegmentedColormap.from_list(
    "similarity",
    [
        (0.0, to_rgba(_OPPOSITE)),
        (0.5, to_rgba(_OPPOSITE, 0.0)),
        (0.5, to_rgba(ACCENT, 0.0)),
        (1.0, to_rgba(ACCENT)),
    ],
)


def draw(tables: Tables) -> Figure:
    """Draw the similarity of each pair of units, a square for each initializer and activation."""
    table = tables["symmetry"]
    activations, names = activations_of(table), in_order(table["initializer"])
    cases = [(activation, name) for activation in activations for name in names]
    columns = min(across(6), len(cases))
    rows = -(-len(cases) // columns)
    figure = canvas(2.35 * rows)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (activation, name) in zip(panels, cases, strict=False):
        own = table[(table["activation"] == activation) & (table["initializer"] == name)]
        grid = own.pivot_table(index="unit", columns="other", values="similarity").to_numpy()
        _square(axes, grid)
        units = different(grid)
        headed(
            axes,
            name,
            f"{activation_name(activation)}: {units} of {len(grid)} differ",
            size=min(9.0, 110 / len(name)),
        )
    for axes in panels[len(cases) :]:
        axes.remove()
    figure.supylabel("unit", color=MUTED)
    figure.supxlabel(
        "other unit; blue: the same weights, pale: unrelated, yellow: opposite", color=MUTED
    )
    return figure


def different(grid: np.ndarray) -> int:
    """Return how many units differ from all units before them.

    Parameters
    ----------
    grid : numpy.ndarray
        (units, units), cosines of the units' weights.
    """
    return sum(not (grid[unit, :unit] > _SAME).any() for unit in range(len(grid)))


def _square(axes: Axes, grid: np.ndarray) -> None:
    edges = np.arange(len(grid) + 1) + 0.5
    axes.pcolormesh(
        edges, edges, grid, cmap=_COLOURS, vmin=-1, vmax=1, edgecolor=PAPER, linewidth=0.3
    )
    axes.set_aspect("equal")
    axes.invert_yaxis()
    ticks = [1, len(grid)]
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.tick_params(length=0, colors=INK)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def caption(tables: Tables) -> str:
    """Return the caption."""
    table = tables["symmetry"]
    return (
        f"Cosines of the incoming weights of the {table['unit'].max()} units of the second layer "
        f"of a small network after {table['steps'].max()} training steps. Units that begin with "
        "the same weights get the same gradients, so a whole layer stays one unit: random first "
        "weights break the symmetry."
    )


def numbers(tables: Tables) -> pd.DataFrame:
    """Return how many units differ with each initializer and activation."""
    rows = []
    for (name, activation), own in tables["symmetry"].groupby(["initializer", "activation"]):
        grid = own.pivot_table(index="unit", columns="other", values="similarity").to_numpy()
        row = {"activation": activation, "initializer": name, "units": len(grid)}
        rows.append(row | {"different_units": different(grid)})
    return ordered(pd.DataFrame(rows))


def finding(tables: Tables) -> str:
    """Return how many different units each initializer ends with."""
    table = tables["symmetry"]
    counts: dict[str, list[int]] = {}
    for row in numbers(tables).itertuples():
        counts.setdefault(row.initializer, []).append(row.different_units)
    words = [
        f"{name} {' or '.join(map(str, sorted(set(found))))}"
        for name, found in ((name, counts[name]) for name in in_order(counts))
    ]
    return (
        f"Of {table['unit'].max()} units, this many are different after {table['steps'].max()} "
        f"steps: {', '.join(words)}."
    )


register(
    "symmetry",
    title="Symmetry between units",
    caption=caption,
    finding=finding,
    needs=("symmetry",),
    draw=draw,
    numbers=numbers,
    section="symmetry",
    order=10,
)
