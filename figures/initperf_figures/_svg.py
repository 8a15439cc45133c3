"""Files of a figure, and its markup for a page, in the colours of the page."""

import io
import re
from typing import Any, NamedTuple

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
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
_POINTS_AN_INCH = 72  # the unit of SVG files
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
        svg, outlines = _vectors(figure)
        paper: Any = FigureCanvasPdf(figure)
        document = io.BytesIO()
        paper.print_pdf(document, metadata=UNDATED)
        figure.dpi = PNG_DPI
        raster: Any = FigureCanvasAgg(figure)
        raster.print_png(image, pil_kwargs={"compress_level": _COMPRESSION})
    return Files(svg, outlines, image.getvalue(), document.getvalue())


class _Twofold(RendererSVG):  # type: ignore[misc]  # untyped in matplotlib
    """SVG with all text in it twice, as paths and as text, between comments."""

    def draw_text(self, *arguments: Any, **options: Any) -> None:
        for fonttype in ("path", "none"):  # the style's comes last, and stays
            self.writer.comment(f"begin {fonttype}")
            matplotlib.rcParams["svg.fonttype"] = fonttype  # a context would take longer than text
            super().draw_text(*arguments, **options)
            self.writer.comment(f"end {fonttype}")


def _vectors(figure: Figure) -> list[str]:
    """Return a figure's SVG with text as text and with text as paths; both from one drawing."""
    FigureCanvasSVG(figure)
    dpi, figure.dpi = figure.dpi, _POINTS_AN_INCH
    width, height = figure.get_size_inches()
    points = width * _POINTS_AN_INCH, height * _POINTS_AN_INCH
    twofold = io.StringIO()
    vectors = _Twofold(*points, twofold, image_dpi=dpi)
    renderer: Any = MixedModeRenderer(figure, width, height, dpi, vectors)
    figure.draw(renderer)
    renderer.finalize()
    text = re.sub(r"<metadata>.*?</metadata>", "", twofold.getvalue(), flags=re.DOTALL)
    text = re.sub(r'(?<= )(d|x|y)="[^"]*"', _shorten, text)
    return [_one_of_two(text, left_out) for left_out in ("path", "none")]


def _one_of_two(svg: str, left_out: str) -> str:
    """Return the SVG of `_Twofold` without one of the two, and without what varies or is empty."""
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
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'\b(?:xlink:)?href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, variable)
    return f'<svg {size[0] if size else ""} role="img" aria-label="{description}">{body}'
