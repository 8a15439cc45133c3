"""Files of a figure, and its markup for a page, in the colours of the page."""

import io
import re
from typing import Any, NamedTuple

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

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
_COMPRESSION = 2  # half the time of zlib's default of 6, for files a tenth longer

UNDATED: dict[str, Any] = {"CreationDate": None, "Creator": "initperf"}
"""Metadata of PDF files that are the same for the same data."""

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
        settle(figure)
        figure.set_layout_engine("none")
        image = io.BytesIO()
        # Figure.savefig would draw twice, at first for the layout, which is already final.
        svg = _vector(figure)
        with matplotlib.rc_context({"svg.fonttype": "path"}):
            outlines = _vector(figure)
        paper: Any = FigureCanvasPdf(figure)
        document = io.BytesIO()
        paper.print_pdf(document, metadata=UNDATED)
        figure.dpi = PNG_DPI
        raster: Any = FigureCanvasAgg(figure)
        raster.print_png(image, pil_kwargs={"compress_level": _COMPRESSION})
    return Files(svg, outlines, image.getvalue(), document.getvalue())


def _vector(figure: Figure) -> str:
    """Return a figure's SVG, the same for the same figure, in the style's ``svg.fonttype``."""
    text = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text)
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text.getvalue(), flags=re.DOTALL)
    svg = re.sub(r'(?<= )(d|x|y)="[^"]*"', _shorten, svg)
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
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'\b(?:xlink:)?href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, variable)
    return f'<svg {size[0] if size else ""} role="img" aria-label="{description}">{body}'
