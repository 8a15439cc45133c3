"""Style of all figures, and the colour, dash and marker of each initializer in all of them.

A family of initializers shares a hue. The hues maximize the least difference between any two, for
normal colour vision and the three dichromacies of Machado, Oliveira and Fernandes (2009), among
those that are legible on white and on black. Members of a family differ in shade, dash and marker:
solid lines are normal distributions, dashed lines uniform ones. An unknown name has a colour of
its family, or a hash of its letters chooses one, so it is the same in every report.
"""

import colorsys
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.typing import LineStyleType

INK = "#1f2430"
MUTED = "#646d7c"
RULE = "#e3e6eb"
CONTEXT = "#cdd2da"
EDGE = "#b9bfc9"
PAPER = "#ffffff"
ACCENT = "#0072b2"
RIVAL, TORCH, MKL = "#b75a20", "#9a4fb8", "#7d5f00"
"""Colours of other libraries: NumPy and whatever has none of its own, PyTorch, MKL."""

# Width of a figure of the page, in inches: at its 1080 px, 8.5 pt text is 12 px tall.
WIDTH = 10.8


SIZES = {"page": WIDTH, "two_columns": 7.2, "one_column": 4.75, "slide": 6.67}
"""Widths of figures by name, in inches; text is of 7 to 9 points in all. ``two_columns`` fills a
page of a paper, ``one_column`` is to be scaled to a column of 3.5 inches, with text of 5 to 6
points, and ``slide`` to a slide of 13.3 inches, with text of 14 to 18 points."""

_CHOSEN: ContextVar[float] = ContextVar("width", default=WIDTH)

# family: (pattern of the names of members, colours of known members)
_FAMILIES: dict[str, tuple[str, dict[str, str]]] = {
    "constant": (
        r"zeros|ones|constant",
        {"zeros": "#868c98", "ones": "#a3a9b4", "constant": "#717886"},
    ),
    "fan-in": (r"fan_in_", {"fan_in_normal": "#1c8fe0", "fan_in_uniform": "#4aa9ec"}),
    "LeCun": (r"lecun", {"lecun_normal": "#b03c6a", "lecun_uniform": "#c9638b"}),
    "Glorot": (r"glorot|xavier", {"glorot_normal": "#2b5fd0", "glorot_uniform": "#4f7ce0"}),
    "He": (r"he_|kaiming|msra", {"he_normal": "#cb3f16", "he_uniform": "#e0663f"}),
    "structured": (
        r"orthogonal|identity|sparse|eye",
        {"orthogonal": "#12a862", "identity": "#0e8f6a", "sparse": "#4cb884"},
    ),
    "scaled": (
        r"variance_scaling|depth_|lsuv",
        {"variance_scaling": "#8a3fa6", "depth_scaled": "#a05fba", "lsuv": "#76379a"},
    ),
    "fixed scale": (
        r".*(normal|uniform)|custom",
        {
            "normal": "#c4960c",
            "uniform": "#cf9f14",
            "small_normal": "#dfb53a",
            "large_normal": "#7f6000",
            "historic_uniform": "#8a6800",
            "historic_uniform_one": "#a37c10",
            "historic_uniform_positive": "#d9b24c",
            "truncated_normal": "#977413",
            "clipped_normal": "#bb9a4a",
            "custom": "#9c8350",
        },
    ),
}
_OTHER = "other"
_PLACES = {
    name: (place, index)
    for place, (_, members) in enumerate(_FAMILIES.values())
    for index, name in enumerate(members)
}

_LOOK: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": EDGE,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titley": 1.0,  # no search for room above tick labels, which none has at the top
    "axes.unicode_minus": True,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.wspace": 0.05,
    "figure.dpi": 72,
    "figure.facecolor": PAPER,
    "figure.labelsize": 8,
    "font.family": "sans-serif",  # the family of SVG text where DejaVu Sans is missing
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.borderaxespad": 0,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "pdf.fonttype": 42,  # TrueType: text that can be selected, and edited
    "ps.fonttype": 42,  # else matplotlib splits the fonts of PDF files, too, at 256 characters
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",  # text, which can be searched and edited
    "svg.hashsalt": "initperf",
    "text.color": INK,
    "text.parse_math": False,  # names are drawn as they are, those with dollar signs too
    "xtick.color": MUTED,
    "xtick.labelsize": 7.5,
    "xtick.major.size": 3,
    "xtick.major.width": 0.7,
    "xtick.minor.visible": False,
    "ytick.color": MUTED,
    "ytick.labelsize": 7.5,
    "ytick.left": False,
    "ytick.minor.size": 0,
}


@dataclass(frozen=True)
class Strokes:
    """Colour, dash of lines and marker of an initializer."""

    colour: str
    dash: LineStyleType
    marker: str


@contextmanager
def look(inches: float | None = None) -> Iterator[None]:
    """Apply the style inside the block, whatever the user's own settings are.

    Parameters
    ----------
    inches : float, optional
        Width of the figures that are made in the block; by default that of the block around it,
        or else the page's.
    """
    token = _CHOSEN.set(_CHOSEN.get() if inches is None else inches)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_LOOK)
            yield
    finally:
        _CHOSEN.reset(token)


def width() -> float:
    """Return the width of figures, in inches."""
    return _CHOSEN.get()


def across(most: int = 2) -> int:
    """Return how many panels stand side by side, of at most so many at the page's width."""
    return max(1, int(most * _CHOSEN.get() / WIDTH))


class ShownFigure(Figure):
    """A figure that notebooks show, in any environment, without a magic command."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return a PNG image of two pixels for each on the screen, and its size there."""
        image = io.BytesIO()
        self.savefig(image, format="png", dpi=2 * _SCREEN_DPI)
        wide, tall = self.get_size_inches() * _SCREEN_DPI
        return image.getvalue(), {"width": round(wide), "height": round(tall)}

    def savefig(self, *arguments: Any, **options: Any) -> None:
        """Write a file, in the report's style; see `matplotlib.figure.Figure.savefig`."""
        with look():
            super().savefig(*arguments, **options)


_SCREEN_DPI = 96


def canvas(height: float) -> Figure:
    """Return an empty figure of the chosen width, with a height in inches."""
    return ShownFigure(figsize=(width(), height))


def regular(
    height: float,
    rows: int,
    columns: int,
    *,
    around: tuple[float, float, float, float],
    between: tuple[float, float],
    **subplots: Any,
) -> tuple[Figure, list[Axes]]:
    """Return a figure of equal panels at given distances, without a layout engine.

    Parameters
    ----------
    height : float
        Height of the figure, in inches, as are all distances.
    rows, columns : int
        Numbers of panels.
    around : tuple of float
        Margins: left, right, top, bottom.
    between : tuple of float
        Gaps between panels: across, down.
    **subplots
        For `matplotlib.figure.Figure.subplots`.
    """
    left, right, top, bottom = around
    gap, down = between
    whole = width()
    wide = (whole - left - right - gap * (columns - 1)) / columns
    tall = (height - top - bottom - down * (rows - 1)) / rows
    figure = canvas(height)
    figure.set_layout_engine("none")
    grid = {
        "left": left / whole,
        "right": 1 - right / whole,
        "top": 1 - top / height,
        "bottom": bottom / height,
        "wspace": gap / wide,
        "hspace": down / tall,
    }
    axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=grid, **subplots)
    return figure, list(axes.flat)


def settle(figure: Figure) -> None:
    """Lay the figure out, so that its axes have their final size."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def family(initializer: str) -> str:
    """Return the family of an initializer, by its name."""
    for name, (pattern, members) in _FAMILIES.items():
        if initializer in members or re.match(pattern, initializer):
            return name
    return _OTHER


def strokes(initializer: str) -> Strokes:
    """Return the colour, dash and marker of an initializer, the same in every figure."""
    code = zlib.crc32(initializer.encode())
    colours = list(_FAMILIES.get(family(initializer), ("", {}))[1].values())
    if initializer in _PLACES:
        colour = colours[_PLACES[initializer][1]]
    elif colours:
        colour = colours[code % len(colours)]
    else:
        colour = to_hex(colorsys.hsv_to_rgb(code % 360 / 360, 0.6, 0.7))
    if "uniform" in initializer:
        return Strokes(colour, (0, (3.5, 1.6)), "s")
    if "normal" in initializer:
        return Strokes(colour, "-", "o")
    dashes: tuple[LineStyleType, ...] = ("-", (0, (1.2, 1.4)), (0, (5, 1.5, 1.2, 1.5)))
    place = _PLACES.get(initializer, (0, code))[1]
    return Strokes(colour, dashes[place % 3], "D^v"[place % 3])


def in_order(initializers: Iterable[str]) -> list[str]:
    """Return each name once, in the order of every figure: families together."""
    families = [*_FAMILIES, _OTHER]

    def key(name: str) -> tuple[int, int, str]:
        return families.index(family(name)), _PLACES.get(name, (0, 99))[1], name

    return sorted(set(initializers), key=key)
