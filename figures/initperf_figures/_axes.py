"""Parts of several figures: axes of accuracies, labels at line ends, names and numbers."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogFormatterMathtext,
    NullLocator,
    ScalarFormatter,
)
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from initperf_figures._style import MUTED, strokes

_ACTIVATION_NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU"}
_ACCURACIES = (0.1, 0.9, 0.95, 0.99, 0.98, 0.97, 0.8, 0.5, 0.93, 0.7, 0.995, 0.998, 0.999)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LINE_PITCH = 10.5  # points from one end label to the next


def activation_name(activation: str) -> str:
    """Return the usual spelling of an activation's name; of a panel's, with its setup in brackets.

    Parameters
    ----------
    activation : str
        Such as ``"selu"``, or ``"relu, 30 × 64"`` for ``"ReLU (30 × 64)"``.
    """
    name, _, setup = activation.partition(", ")
    if name.endswith("elu") and name not in _ACTIVATION_NAMES:
        name = name.upper()
    return _ACTIVATION_NAMES.get(name, name) + (f" ({setup})" if setup else "")


def network_name(sizes: str) -> str:
    """Return the widths of a network, such as ``784-64-64-64-10``, as ``784-3×64-10``."""
    found = []
    for width, group in groupby(sizes.split("-")):
        count = len(list(group))
        found.append(f"{count}×{width}" if count > 2 else "-".join([width] * count))
    return "-".join(found)


def activation_of(panel: str) -> str:
    """Return the activation of a panel, whose name may go on with its setup after a comma."""
    return panel.partition(", ")[0]


def activations_of(table: pd.DataFrame) -> list[str]:
    """Return the activations in a table, ReLU and tanh first, those of one setup in its order."""
    first = {"relu": 0, "tanh": 1}

    def key(panel: str) -> tuple[int, str, list[tuple[int, str]]]:
        name, _, setup = panel.partition(", ")
        numbers = [
            (int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", setup)
        ]
        return first.get(name, 2), name, numbers

    return sorted(table["activation"].unique(), key=key)


def magnitude(value: float) -> str:
    """Return a magnitude as text, with two digits, or one and a power of ten."""
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "overflow"
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    digit, exponent = f"{value:.0e}".split("e")
    return f"{digit}·{power(int(exponent))}"


def power(exponent: int) -> str:
    """Return a power of ten as text."""
    return "10" + str(exponent).translate(_RAISED)


class _Powers(LogFormatterMathtext):
    """Labels of a logarithmic axis as plain text, where matplotlib's own would be mathematics."""

    def __call__(self, value: float, place: int | None = None) -> str:
        """Return the label of a tick; "" where matplotlib writes none."""
        if not super().__call__(value, place):
            return ""
        exponent = np.log10(abs(value)) if value else np.nan
        if not np.isclose(exponent, np.round(exponent), rtol=0, atol=1e-9):
            return f"{value:g}"
        return ("-" if value < 0 else "") + power(round(exponent))


class Scaled(ScalarFormatter):
    """Labels in units of a power of ten, which is written as plain text beside the axis."""

    def get_offset(self) -> str:
        """Return the power of ten, or nothing for 1."""
        text = str(super().get_offset())
        found = re.fullmatch(r"1e([−-]?\d+)", text)
        return f"× {power(int(found[1].replace('−', '-')))}" if found else text


def spell_powers(figure: Figure) -> None:
    """Give logarithmic axes that have matplotlib's own labels plain ones.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            base = getattr(axis.get_transform(), "base", 10.0)
            for held, change in (
                (axis.get_major_formatter(), axis.set_major_formatter),
                (axis.get_minor_formatter(), axis.set_minor_formatter),
            ):
                if isinstance(held, LogFormatterMathtext):
                    change(_Powers(base, labelOnlyBase=held.labelOnlyBase))


def headed(axes: Axes, title: str, remark: str, size: float = 9.0, before: float = 0.0) -> None:
    """Write a title and, on a line of its own below, a remark.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    title, remark : str
    size : float
        Size of the title, in points.
    before : float
        Distance of both from the left edge of the axes, to the left, in points.
    """
    heading = axes.set_title(title, pad=17, fontsize=size)
    move = ScaledTranslation(-before / 72, 0.0, axes.figure.dpi_scale_trans)
    heading.set_transform(heading.get_transform() + move)
    axes.annotate(
        remark,
        (0, 1),
        (-before, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=7.5,
        color=MUTED,
    )


def accuracy_axis(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Give accuracies an axis that is logarithmic in the error, 1 − accuracy.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    which : str
        ``"x"`` or ``"y"``.
    low, high : float
        Limits, from 0 to 1; ticks are in percent.
    """
    ceiling = 1 - 1e-4

    def forward(accuracy: Any) -> Any:
        return -np.log10(1 - np.minimum(accuracy, ceiling))

    def inverse(stretched: Any) -> Any:
        return 1 - 10 ** -np.asarray(stretched)

    axis = axes.xaxis if which == "x" else axes.yaxis
    set_scale = axes.set_xscale if which == "x" else axes.set_yscale
    set_limits = axes.set_xlim if which == "x" else axes.set_ylim
    set_scale("function", functions=(forward, inverse))
    set_limits(low, min(high, ceiling))
    shown = [tick for tick in _ACCURACIES if low <= tick <= high]
    ticks = thinned(shown, forward, (forward(high) - forward(low)) / (9 if which == "x" else 6))
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{100 * accuracy:.3g}"))


def thinned(ticks: Iterable[float], position: Callable[[float], float], gap: float) -> list[float]:
    """Return ticks that are far enough apart, sorted.

    Parameters
    ----------
    ticks : iterable of float
        Candidates, the most important first.
    position : callable
        Place of a tick on the axis.
    gap : float
        Least distance of two places.
    """
    kept: list[float] = []
    for tick in ticks:
        if all(abs(position(tick) - position(other)) > gap for other in kept):
            kept.append(tick)
    return sorted(kept)


def spread(wanted: Sequence[float], pitch: float, low: float, high: float) -> list[float]:
    """Move sorted positions apart to at least `pitch`, as little as possible, within limits.

    Neighbours that would touch form a block around the mean of their positions; blocks that
    touch merge. Where there is no room for all, they are spaced evenly.

    Parameters
    ----------
    wanted : sequence of float
        Sorted positions.
    pitch : float
        Least distance of two.
    low, high : float
        Limits.
    """
    if len(wanted) * pitch > high - low:
        return list(np.linspace(low, high, len(wanted)))
    blocks: list[tuple[float, int]] = []  # centre, count
    for position in wanted:
        blocks.append((position, 1))
        while True:
            blocks[-1] = (_inside(blocks[-1], pitch, low, high), blocks[-1][1])
            if len(blocks) < 2 or _edge(blocks[-2], pitch, 1) <= _edge(blocks[-1], pitch, -1):
                break
            (upper, many), (lower, few) = blocks.pop(), blocks.pop()
            blocks.append(((upper * many + lower * few) / (many + few), many + few))
    return [
        _edge((centre, count), pitch, -1) + (index + 0.5) * pitch
        for centre, count in blocks
        for index in range(count)
    ]


def _edge(block: tuple[float, int], pitch: float, side: int) -> float:
    return block[0] + side * block[1] * pitch / 2


def _inside(block: tuple[float, int], pitch: float, low: float, high: float) -> float:
    half = block[1] * pitch / 2
    return min(max(block[0], low - pitch / 2 + half), high + pitch / 2 - half)


def end_labels(
    axes: Axes,
    ends: Mapping[str, float],
    height: float,
    bold: Iterable[str] = (),
    spelled: Callable[[float], str] = magnitude,
) -> None:
    """Write each line's name and last value at its right end, with leaders to where they fit.

    Lines that end outside the axes are named at the edge.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With its final y limits and scale.
    ends : mapping of str to float
        Last value of each initializer's line.
    height : float
        Height of the axes, in inches, or a lower bound, which keeps the names apart as well; the
        exact height is not known before the layout.
    bold : iterable of str
        Initializers to name in bold.
    spelled : callable
        The text of a last value.
    """
    low, high = axes.get_ylim()
    to_axes = (axes.transData + axes.transAxes.inverted()).transform

    def place(value: float) -> float:
        inside = np.clip(np.nan_to_num(value, posinf=high), low, high)
        return float(to_axes((axes.get_xlim()[1], inside))[1])

    names = sorted(ends, key=lambda name: (np.nan_to_num(ends[name], posinf=np.inf), name))
    points = [place(ends[name]) for name in names]
    emphasised = set(bold)
    within: Any = axes.transAxes
    inches = axes.figure.dpi_scale_trans + ScaledTranslation(1, 0, within)  # from the right edge
    beside = blended_transform_factory(inches, within)
    style: dict[str, Any] = {"transform": beside, "va": "center_baseline", "fontsize": 7.5}
    plain: dict[str, Any] = style | {"ha": "right", "color": MUTED, "in_layout": False}
    for name, point, where in zip(
        names, points, spread(points, LINE_PITCH / 72 / height, 0.0, 1.0), strict=True
    ):
        axes.plot(
            [0.05, 0.2, 0.26],
            [point, where, where],
            transform=beside,
            color=strokes(name).colour,
            linewidth=1.0,
            clip_on=False,
            in_layout=False,
        )
        arrow = "↑ " if ends[name] > high else "↓ " if ends[name] < low else ""
        weight = "bold" if name in emphasised else "normal"
        axes.text(0.9, where, arrow + spelled(ends[name]), **plain)
        axes.text(0.97, where, name, weight=weight, **style)
