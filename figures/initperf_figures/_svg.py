"""Files of a figure, and its markup for a page, in the colours of the page."""

import re
from typing import NamedTuple

from matplotlib.figure import Figure

from initperf_figures._png import png
from initperf_figures._renderers import pixels, vectors
from initperf_figures._style import (
    ACCENT,
    CONTEXT,
    EDGE,
    INK,
    MKL,
    MUTED,
    PAPER,
    RIVAL,
    RULE,
    TORCH,
    look,
    settle,
)

PNG_DPI = 300

# Variables of the page's style sheet, which has values for a light and for a dark page.
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    CONTEXT: "var(--context)",
    EDGE: "var(--edge)",
    PAPER: "var(--paper)",
    ACCENT: "var(--accent)",
    RIVAL: "var(--rival)",
    TORCH: "var(--torch)",
    MKL: "var(--mkl)",
}


class Files(NamedTuple):
    """Files of a figure.

    Attributes
    ----------
    svg : str
        Text of an SVG file, in which text is text: it can be searched and edited.
    outlines : str
        The same with letters as paths, which look alike whatever fonts there are: for pages.
    png : bytes
        An image of PNG_DPI dots per inch.
    pdf : bytes
        A PDF file, in which text is text.
    """

    svg: str
    outlines: str
    png: bytes
    pdf: bytes


def files(figure: Figure) -> Files:
    """Return a figure's files, the same for the same figure: no date, no random identifiers."""
    with look():
        _pin_empty_labels(figure)
        settle(figure)
        figure.set_layout_engine("none")
        # Figure.savefig would draw twice, at first for the layout, which is already final.
        twofold, pdf = vectors(figure)
        image = png(pixels(figure, PNG_DPI), PNG_DPI)
    text = re.sub(r"<metadata>.*?</metadata>", "", twofold, flags=re.DOTALL)
    text = re.sub(r'(?<= )(d|x|y)="[^"]*"', _shorten, text)
    svg, outlines = (_one_of_two(text, left_out) for left_out in ("path", "none"))
    return Files(svg, outlines, image, pdf)


def _pin_empty_labels(figure: Figure) -> None:
    """Spare matplotlib the search for room for labels of axes that are empty."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0.0, 0.0)


def _one_of_two(svg: str, left_out: str) -> str:
    """Return the SVG of `vectors` without one of the two, and without what varies or is empty."""
    part = rf"<!-- begin {left_out} -->.*?<!-- end {left_out} -->"
    svg = re.sub(rf"{part}|<!--.*?-->", "", svg, flags=re.DOTALL)
    # Some identifiers are hashes of addresses in memory: number them in order of appearance.
    places: dict[str, str] = {}
    svg = re.sub(
        r'(?<=["#])[mp][0-9a-f]{10}\b',
        lambda found: places.setdefault(found[0], f"i{len(places)}"),
        svg,
    )
    svg = re.sub(r'<g id="[^"]*"/>', "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _shorten(attribute: re.Match[str]) -> str:
    """Truncate coordinates to hundredths of a point, those of long lines to tenths."""
    text = attribute[0].replace("\n", "")
    if len(text) > 300 and not re.search("[CQ]", text):
        return re.sub(r"(\.\d)\d+", r"\1", text).replace(" L ", " ")
    return re.sub(r"(\.\d\d)\d+", r"\1", text)


def inline(svg: str, name: str, description: str) -> str:
    """Return an SVG file's text as markup for the page.

    Identifiers are prefixed with the figure's name, so that figures do not use each other's clip
    paths; the colours of text and background become variables of the page's style sheet.

    Parameters
    ----------
    svg : str
        Text of an SVG file by matplotlib.
    name : str
        The figure's name.
    description : str
        Text for screen readers, escaped for an attribute.
    """
    markup = svg[svg.index("<svg") :]
    head, body = markup.split(">", 1)
    size = re.search(r'viewBox="[^"]*"', head)
    body = body.replace(' id="', f' id="{name}-')
    body = body.replace(' xlink:href="#', f' href="#{name}-')
    body = body.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, variable)
    return f'<svg {size[0] if size else ""} role="img" aria-label="{description}">{body}'
