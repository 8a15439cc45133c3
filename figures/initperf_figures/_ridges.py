"""Ridgelines of recorded histograms: a ridge a layer, the first step filled, the last a line."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from initperf_figures._axes import Scaled, activation_name, activations_of, headed
from initperf_figures._figure import Tables
from initperf_figures._numbers import by_rule
from initperf_figures._style import INK, MUTED, across, canvas, in_order, strokes

_COLUMNS = 5
_LAYERS = 8  # ridges of a panel; a deeper network shows some of its layers
_KEPT = 0.995  # share of the values that the x axis spans, in the widest layer shown
_ALL = 0.999  # share of the values in one bin that counts as all
_OVERLAP = 1.55  # height of a ridge, in distances of two


def ridges(tables: Tables, quantity: str, label: str) -> Figure:
    """Draw the histograms of a quantity, a panel for each initializer and activation.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        With ``runs`` and ``histograms``, of which one run of each initializer and activation is
        drawn, that of the smallest seed.
    quantity : str
        ``"activation"`` or ``"gradient"``.
    label : str
        Label of the x axes.
    """
    found = recorded(tables, quantity)
    cases = [
        (activation, name)
        for activation in activations_of(found)
        for name in in_order(found.loc[found["activation"] == activation, "initializer"])
    ]
    rules = found.groupby("activation")["initializer"].nunique().max()
    columns = min(across(_COLUMNS), int(rules))  # a row for each activation where there is room
    rows = -(-len(cases) // columns)
    figure = canvas(2.55 * rows + 0.2)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for place, (axes, (activation, name)) in enumerate(zip(panels, cases, strict=False)):
        own = found[(found["activation"] == activation) & (found["initializer"] == name)]
        _panel(axes, own, strokes(name).colour, named=place % columns == 0)
        headed(axes, name, activation_name(activation), size=min(9.0, 130 / len(name)))
    for axes in panels[len(cases) :]:
        axes.remove()
    figure.supxlabel(label, color=MUTED)
    figure.supylabel("layer", color=MUTED)
    return figure


def recorded(tables: Tables, quantity: str) -> pd.DataFrame:
    """Return the histograms of a quantity with initializer and activation, one run of each."""
    histograms = tables["histograms"]
    runs = tables["runs"].sort_values(["seed", "run"], kind="stable")
    first = runs.drop_duplicates(["initializer", "activation"])
    own = histograms[histograms["quantity"] == quantity]
    return own.merge(first[["run", "initializer", "activation"]], on="run")


def spreads(tables: Tables, quantity: str) -> pd.DataFrame:
    """Return mean and standard deviation, by the bins, of the first, middle and last layer.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As for `ridges`.
    quantity : str
        ``"activation"`` or ``"gradient"``.

    Returns
    -------
    pandas.DataFrame
        A row a rule and activation and step.
    """
    found = recorded(tables, quantity)
    middle = 0.5 * (found["bin_left"] + found["bin_right"])
    keys = ["activation", "initializer", "step", "layer"]
    sums = (
        found.assign(first=found["count"] * middle, second=found["count"] * middle**2)
        .groupby(keys)[["count", "first", "second"]]
        .sum()
    )
    mean = sums["first"] / sums["count"]
    variance = (sums["second"] / sums["count"] - mean**2).clip(lower=0.0)
    table = pd.DataFrame({"mean": mean, "std": np.sqrt(variance)}).reset_index()
    return pd.concat(
        [
            by_rule(own, ["mean", "std"], "layer").assign(step=step)
            for step, own in table[table["step"].isin(steps_of(tables))].groupby("step")
        ],
        ignore_index=True,
    )


def steps_of(tables: Tables) -> tuple[int, int]:
    """Return the first and the last step with histograms."""
    steps = tables["histograms"]["step"]
    return int(steps.min()), int(steps.max())


def _panel(axes: Axes, table: pd.DataFrame, colour: str, *, named: bool) -> None:
    """Draw the ridges of one run, the last layer at the top.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    table : pandas.DataFrame
        Its histograms.
    colour : str
    named : bool
        Whether the layers are numbered.
    """
    steps = sorted(table["step"].unique())
    layers = sorted(table["layer"].unique())
    shown = [layers[place] for place in spaced(len(layers))]
    reach = max(reach_of(own) for _, own in table[table["layer"].isin(shown)].groupby("layer"))
    for height, layer in reversed(list(enumerate(shown))):
        own = table[table["layer"] == layer]
        first = outline(own[own["step"] == steps[0]], reach)
        axes.fill_between(
            first[0],
            height,
            height + first[1],
            color=colour,
            alpha=0.4,
            linewidth=0,
            step="mid",
            zorder=len(shown) - height,
        )
        if len(steps) > 1:
            last = outline(own[own["step"] == steps[-1]], reach)
            axes.plot(
                last[0],
                height + last[1],
                color=INK,
                linewidth=0.8,
                drawstyle="steps-mid",
                zorder=len(shown) - height + 0.5,
            )
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-0.15, len(shown) - 1 + _OVERLAP + 0.1)
    axes.set_yticks(range(len(shown)))
    axes.set_yticklabels([str(layer) for layer in shown] if named else [""] * len(shown))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3, symmetric=True))
    axes.xaxis.set_major_formatter(Scaled(useOffset=False))
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
    axes.xaxis.get_offset_text().set_fontsize(6.5)
    axes.spines["left"].set_visible(False)


def spaced(count: int) -> Sequence[int]:
    """Return the places of the layers that are drawn of so many."""
    return [int(place) for place in np.linspace(0, count - 1, min(count, _LAYERS)).round()]


def reach_of(own: pd.DataFrame) -> float:
    """Return the distance from 0 within which most values of a layer lie, in all its steps."""
    far = np.maximum(own["bin_left"].abs(), own["bin_right"].abs()).to_numpy(float)
    counts = own["count"].to_numpy(float)
    if not counts.sum() or not np.isfinite(far).all():
        return 1e-12
    order = np.argsort(far, kind="stable")
    share = np.cumsum(counts[order]) / counts.sum()
    return max(float(far[order][np.searchsorted(share, _KEPT)]), 1e-12)


def outline(own: pd.DataFrame, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and heights of a ridge: roots of densities, the highest _OVERLAP.

    Of a root, a peak such as that of the zeros of ReLU leaves the rest visible (Tukey 1977).
    """
    own = own.sort_values("bin_left", kind="stable")
    left, right = own["bin_left"].to_numpy(float), own["bin_right"].to_numpy(float)
    counts = own["count"].to_numpy(float)
    most = int(counts.argmax())
    if counts[most] >= _ALL * counts.sum():  # one value: a spike
        middle = 0.0 if left[most] <= 0 <= right[most] else (left[most] + right[most]) / 2
        spike = middle + reach * np.array([-0.01, 0.0, 0.01])
        x = np.concatenate(([-reach, spike[0]], spike, [spike[-1], reach]))
        return x, np.array([0.0, 0.0, _OVERLAP, _OVERLAP, _OVERLAP, 0.0, 0.0])
    width = np.maximum(right - left, 1e-3 * reach)
    density = np.sqrt(counts / width)
    top = float(density.max(initial=0.0))
    heights = density * (_OVERLAP / top) if top > 0 else density
    x = np.concatenate(([-reach, left[0] - 1e-9 * reach], (left + right) / 2, [right[-1], reach]))
    return x, np.concatenate(([0.0, 0.0], heights, [0.0, 0.0]))


def widths_finding(tables: Tables, quantity: str) -> str:
    """Return where the width of a quantity changes most from the first hidden layer to the last.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        With ``runs`` and ``histograms``.
    quantity : str
        ``"activation"`` or ``"gradient"``.
    """
    table = recorded(tables, quantity)
    table = table[table["step"] == table["step"].min()]
    middle = (table["bin_left"] + table["bin_right"]) / 2
    parts = table.assign(square=middle**2 * table["count"])
    keys = ["activation", "initializer", "layer"]
    sums = parts.groupby(keys)[["square", "count"]].sum()
    size = np.sqrt(sums["square"] / sums["count"]).unstack("layer")
    hidden = size.iloc[:, :-1] if size.shape[1] > 2 else size
    ratio = hidden.iloc[:, -1] / hidden.iloc[:, 0]
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    if ratio.empty:
        return f"No {quantity}s other than 0 were recorded in the first and the last of 2 layers."
    (least_in, least), (most_in, most) = ratio.idxmin(), ratio.idxmax()
    return (
        f"From the first hidden layer to the last, {quantity}s shrink or grow between "
        f"× {ratio.min():.2g} of {least} with {activation_name(least_in)} and "
        f"× {ratio.max():.2g} of {most} with {activation_name(most_in)}."
    )
