"""Renderers of matplotlib that do work once which its own do for each file and text."""

import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_pdf import PdfFile, RendererPdf
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.textpath import TextToPath
from numpy.typing import NDArray

from initperf_figures._embedding import without_layout_tables
from initperf_figures._shaping import remembering

POINTS_AN_INCH = 72
"""Unit of SVG and PDF files."""

UNDATED: dict[str, Any] = {"CreationDate": None, "Creator": "initperf"}
"""Metadata of PDF files that are the same for the same data."""


def vectors(figure: Figure) -> tuple[str, bytes]:
    """Return a figure's SVG, with all text twice, and its PDF file; both from one drawing.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Its resolution becomes that of vector formats.

    Returns
    -------
    svg : str
        Text of an SVG file. Each text is there between ``<!-- begin path -->`` and ``<!-- end path
        -->`` with letters as paths, and between such comments with ``none`` as text.
    pdf : bytes
    """
    dpi, figure.dpi = figure.dpi, POINTS_AN_INCH
    width, height = figure.get_size_inches()
    svg, pdf = io.StringIO(), io.BytesIO()
    file = PdfFile(pdf, metadata=UNDATED)
    try:
        file.newPage(width, height)
        both = _Both(
            _Twofold(width * POINTS_AN_INCH, height * POINTS_AN_INCH, svg, image_dpi=dpi),
            _Pdf(file, dpi, height, width),
        )
        renderer: Any = MixedModeRenderer(figure, width, height, dpi, both)
        figure.draw(renderer)
        renderer.finalize()
        with without_layout_tables():
            file.finalize()
    finally:
        file.close()
    return svg.getvalue(), pdf.getvalue()


def pixels(figure: Figure, dpi: float) -> NDArray[np.uint8]:
    """Return a figure's image, with red, green, blue and opacity of each pixel.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Its resolution becomes `dpi`.
    dpi : float
        Pixels per inch.
    """
    figure.dpi = dpi
    renderer = _Agg(*FigureCanvasAgg(figure).get_width_height(), dpi)
    figure.draw(renderer)
    return np.asarray(renderer.buffer_rgba())


class _Agg(RendererAgg):
    """Images, with fonts that remember."""

    def _prepare_font(self, prop: Any) -> Any:
        font = super()._prepare_font(prop)
        return remembering(font, prop.get_size_in_points(), self.dpi, loads=False)


class _Pdf(RendererPdf):
    """PDF, with fonts that remember."""

    def _get_font_ttf(self, prop: Any) -> Any:
        font = super()._get_font_ttf(prop)
        return remembering(font, prop.get_size_in_points(), POINTS_AN_INCH, loads=True)


class _TextToPath(TextToPath):
    """Letters as paths, with fonts that remember."""

    def _get_font(self, prop: Any) -> Any:
        base: Any = super()  # whose types leave out what is private
        font = base._get_font(prop)
        return remembering(font, self.FONT_SCALE, self.DPI, loads=True)


class _Twofold(RendererSVG):
    """SVG with all text in it twice, as paths and as text, between comments."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._text2path = _TextToPath()

    def draw_text(self, *arguments: Any, **options: Any) -> None:
        for fonttype in ("path", "none"):  # the style's comes last, and stays
            self.writer.comment(f"begin {fonttype}")
            matplotlib.rcParams["svg.fonttype"] = fonttype  # a context would take longer than text
            super().draw_text(*arguments, **options)
            self.writer.comment(f"end {fonttype}")


class _Both(RendererBase):
    """SVG and PDF at once: artists take longer to say what to draw than either to write it."""

    def __init__(self, svg: _Twofold, pdf: _Pdf) -> None:
        super().__init__()
        self.svg, self.pdf = svg, pdf
        self.width, self.height = svg.width, svg.height
        self._text2path = svg._text2path

    def finalize(self) -> None:
        self.svg.finalize()
        self.pdf.finalize()

    def new_gc(self) -> GraphicsContextBase:
        context: GraphicsContextBase = self.pdf.new_gc()  # has what SVG reads, and more
        return context

    def open_group(self, *arguments: Any, **options: Any) -> None:
        self.svg.open_group(*arguments, **options)

    def close_group(self, *arguments: Any, **options: Any) -> None:
        self.svg.close_group(*arguments, **options)

    def draw_path(self, *arguments: Any, **options: Any) -> None:
        self.svg.draw_path(*arguments, **options)
        self.pdf.draw_path(*arguments, **options)

    def draw_markers(self, *arguments: Any, **options: Any) -> None:
        self.svg.draw_markers(*arguments, **options)
        self.pdf.draw_markers(*arguments, **options)

    def draw_path_collection(self, *arguments: Any, **options: Any) -> None:
        self.svg.draw_path_collection(*arguments, **options)
        self.pdf.draw_path_collection(*arguments, **options)

    def draw_gouraud_triangles(self, *arguments: Any, **options: Any) -> None:
        self.svg.draw_gouraud_triangles(*arguments, **options)
        self.pdf.draw_gouraud_triangles(*arguments, **options)

    def draw_image(self, *arguments: Any, **options: Any) -> None:
        self.svg.draw_image(*arguments, **options)
        self.pdf.draw_image(*arguments, **options)

    def draw_text(self, gc: Any, x: float, y: float, *arguments: Any, **options: Any) -> None:
        self.svg.draw_text(gc, x, y, *arguments, **options)
        self.pdf.draw_text(gc, x, self.height - y, *arguments, **options)

    def draw_tex(self, gc: Any, x: float, y: float, *arguments: Any, **options: Any) -> None:
        self.svg.draw_tex(gc, x, y, *arguments, **options)
        self.pdf.draw_tex(gc, x, self.height - y, *arguments, **options)

    def flipy(self) -> bool:
        return True  # as in SVG

    def option_image_nocomposite(self) -> bool:
        return bool(self.svg.option_image_nocomposite())

    def option_scale_image(self) -> bool:
        return True  # as in both

    def get_image_magnification(self) -> float:
        return float(self.svg.get_image_magnification())

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.width, self.height

    def get_text_width_height_descent(self, *arguments: Any) -> Any:
        return self.svg.get_text_width_height_descent(*arguments)
