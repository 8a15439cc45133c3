"""Lines of a quantity by depth, before training, with a panel for each activation."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from initperf_figures._axes import activation_name, activations_of, end_labels, power
from initperf_figures._style import INK, RULE, across, canvas, in_order, strokes

# Lines beyond this range have vanished or exploded; their last value is written at their end.
FLOOR, CEILING = 1e-9, 1e9

_AROUND = 0.75  # inches of a panel's height for its title and the text below

# Initializers whose line stays in this range are named in bold.
KEPT = 0.01, 100.0


def by_depth(
    signal: pd.DataFrame,
    column: str,
    label: str,
    *,
    guide: float | None = None,
    backward: bool = False,
) -> Figure:
    """Draw a column of the `signal` table against the layer on a log axis.

    Parameters
    ----------
    signal : pandas.DataFrame
        The table; a missing value is an overflow.
    column : str
        Column to draw: its median over seeds, with a band from the minimum to the maximum.
    label : str
        Label of the y axis, with the unit.
    guide : float, optional
        Value of a horizontal line for comparison.
    backward : bool
        Whether the quantity propagates from the last layer to the first, as the x axis then does.
    """
    activations = activations_of(signal)
    names = in_order(signal["initializer"])
    columns = across()
    rows = -(-len(activations) // columns)
    height = max(3.9, 0.155 * len(names) + 1.1)
    figure = canvas(height * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    signal = signal.assign(**{column: signal[column].fillna(np.inf)})
    summary = signal.groupby(["activation", "initializer", "layer"])[column]
    summary = summary.quantile([0.0, 0.5, 1.0], interpolation="nearest").unstack()
    seen = summary[0.5].replace([0.0, np.inf], np.nan).dropna()
    low = max(FLOOR, min(float(seen.min()), 0.1))
    high = min(CEILING, max(float(seen.max()), 10.0))
    final = signal["layer"].min() if backward else signal["layer"].max()
    for axes, activation in zip(panels, activations, strict=False):
        axes.set_yscale("log")
        axes.set_ylim(10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high)))
        own = signal.loc[signal["activation"] == activation, "layer"]
        axes.set_xlim(*sorted(layer_limits(own), reverse=backward))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: power(round(np.log10(value))) if value > 0 else "0")
        )
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_title(activation_name(activation))
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("hidden layer, last to first" if backward else "hidden layer")
        axes.set_ylabel(label)
        axes.axhspan(*KEPT, color=RULE, alpha=0.45, linewidth=0, zorder=0)
        if guide is not None:
            axes.axhline(guide, color=INK, linewidth=0.8, zorder=1)
        for name in in_order(summary.loc[activation].index.unique("initializer")):
            lines = summary.loc[(activation, name)].clip(low * 1e-9, high * 1e9)
            stroke = strokes(name)
            axes.fill_between(
                lines.index, lines[0.0], lines[1.0], color=stroke.colour, alpha=0.12, linewidth=0
            )
            axes.plot(lines.index, lines[0.5], color=stroke.colour, linestyle=stroke.dash)
    for axes in list(figure.axes)[len(activations) :]:
        axes.remove()
    middle = summary[0.5].unstack("layer")
    kept = (middle >= KEPT[0]) & (middle <= KEPT[1])
    held = middle[(kept | middle.isna()).all(axis=1)].index  # NaN: a network that is not so deep
    last = middle.ffill(axis=1)[final]
    for axes, activation in zip(figure.axes, activations, strict=True):
        bold = [name for other, name in held if other == activation]
        end_labels(axes, last.loc[activation].to_dict(), height - _AROUND, bold)
    return figure


def layer_limits(layers: pd.Series) -> tuple[float, float]:
    """Return the limits of an axis of layers: the first and the last, or around a single one."""
    first, last = float(layers.min()), float(layers.max())
    return (first, last) if first < last else (first - 0.5, last + 0.5)


def kept_by_depth(signal: pd.DataFrame, column: str, what: str) -> str:
    """Return how many initializers keep a quantity in the band, for each activation.

    Parameters
    ----------
    signal : pandas.DataFrame
        The table.
    column : str
        Column of the quantity.
    what : str
        Its name in the sentence.
    """
    middle = signal.groupby(["activation", "initializer", "layer"])[column].median()
    inside = (middle >= KEPT[0]) & (middle <= KEPT[1])
    held = inside.groupby(level=["activation", "initializer"]).all()
    deep = signal.groupby("activation")["layer"].max()
    words = []
    for activation in activations_of(signal):
        own = held[activation]
        names = in_order(own.index[own])
        which = f" ({', '.join(names)})" if 0 < len(names) < 4 else ""
        words.append(
            f"{len(names)} of {len(own)} with {activation_name(activation)}{which} through "
            f"{deep[activation]} layers"
        )
    return f"{what} stays between {KEPT[0]:g} and {KEPT[1]:g} for {', '.join(words)}."


def over_seeds(signal: pd.DataFrame) -> str:
    """Return what a caption says of seeds."""
    seeds = signal["seed"].nunique()
    if seeds == 1:
        return "One seed."
    return f"Lines are medians of {seeds} seeds, bands range from the minimum to the maximum."


def medians(table: pd.DataFrame) -> str:
    """Return what a caption says of seeds where there are no bands."""
    seeds = table["seed"].nunique()
    return "One seed." if seeds == 1 else f"Medians of {seeds} seeds."
