"""Files of figures beside those of matplotlib's own renderers: the same letters, places, pixels."""

import io
import re
import zlib
from typing import Any

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from initperf_figures import _svg, canvas
from initperf_figures._png import png
from initperf_figures._style import look

WORDS = ("AVATAR To", "10⁻³ → ∞", "initializer", "two\nlines of it")


def _figure(size: float = 8.0) -> Figure:
    """Draw some of all that renderers distinguish; texts recur at several sizes and angles."""
    with look():
        figure = canvas(3.0)
        left, right = figure.subplots(1, 2)
        for place, words in enumerate(WORDS):
            left.text(0.1, 0.2 * place, words, fontsize=size, va="center")
            left.text(0.6, 0.2 * place, words, fontsize=1.5 * size, rotation=30, weight="bold")
        left.plot([0.0, 0.3, 1.0], [0.2, 0.9, 0.1], "o--")
        left.set_ylabel("initializer")
        right.imshow(np.arange(12.0).reshape(3, 4))
        right.scatter([0, 1, 2], [2, 1, 0], s=[9, 50, 90], hatch="//")
        right.fill_between([0, 3], [0, 1], [1, 2], alpha=0.5)
    return figure


def _own(figure: Figure, canvas: Any, write: str, dpi: float, **options: Any) -> bytes:
    """Return a file by matplotlib's own renderer."""
    with look():
        figure.get_layout_engine().execute(figure)  # type: ignore[union-attr]  # constrained
        figure.set_layout_engine("none")
        figure.dpi = dpi
        written = io.BytesIO()
        getattr(canvas(figure), write)(written, **options)
        return written.getvalue()


@pytest.mark.parametrize("size", [8.0, 8.5])
def test_pixels_are_those_of_matplotlib(size: float) -> None:
    found = Image.open(io.BytesIO(_svg.files(_figure(size)).png))
    expected = Image.open(
        io.BytesIO(_own(_figure(size), FigureCanvasAgg, "print_png", _svg.PNG_DPI))
    )
    assert (found.mode, found.size) == ("RGB", expected.size)
    assert found.info["dpi"] == pytest.approx((_svg.PNG_DPI, _svg.PNG_DPI), rel=1e-4)
    np.testing.assert_array_equal(found, expected.convert("RGB"))


def test_letters_of_svg_files_are_where_matplotlib_draws_them() -> None:
    expected = _own(_figure(), _Paths, "print_svg", 72.0).decode()
    found = _svg.files(_figure()).outlines
    letters = r"<use [^>]*#DejaVu[^>]*>"
    assert len(re.findall(letters, found)) > 2 * sum(map(len, WORDS)) - 10
    assert re.findall(letters, found) == re.findall(letters, expected)
    shapes, expected_shapes = _shapes(found), _shapes(expected)
    assert list(shapes) == list(expected_shapes)
    for name, numbers in shapes.items():  # truncated to hundredths of 1/64 of a point
        np.testing.assert_allclose(numbers, expected_shapes[name], rtol=0, atol=0.01)


def _shapes(svg: str) -> dict[str, list[float]]:
    """Return the numbers of the outline of each letter of an SVG file."""
    found = re.findall(r'<path id="(DejaVu[^"]*)" d="([^"]*)"', svg)
    return {name: [float(number) for number in re.findall(r"-?[\d.]+", d)] for name, d in found}


class _Paths(FigureCanvasSVG):  # type: ignore[misc]  # untyped in matplotlib
    """SVG with letters as paths, whatever the style says."""

    def print_svg(self, *arguments: Any, **options: Any) -> None:
        with matplotlib.rc_context({"svg.fonttype": "path"}):
            super().print_svg(*arguments, **options)


def _streams(pdf: bytes) -> list[bytes]:
    found = []
    for part in pdf.split(b"stream\n")[1::2]:
        try:
            found.append(zlib.decompress(part.removesuffix(b"\nend")))
        except zlib.error:
            found.append(zlib.decompressobj().decompress(part))
    return found


def _origins(pdf: bytes) -> np.ndarray[Any, Any]:
    """Return the matrices of all texts of a PDF file, each of which begins with its rotation."""
    number = rb"(-?[\d.]+) "
    content = next(stream for stream in _streams(pdf) if b" Tf" in stream)
    return np.array(re.findall(6 * number + rb"cm\s+BT", content), float)


def test_texts_of_pdf_files_are_where_matplotlib_draws_them() -> None:
    found = _origins(_svg.files(_figure()).pdf)
    expected = _origins(_own(_figure(), FigureCanvasPdf, "print_pdf", 72.0))
    assert len(found) > 2 * len(WORDS)
    # widths and heights are rounded to 1/64 of a point there, before 3.11 to whole ones, of which
    # centred text has half, and to 1/64 of a point at a size of 100 points in SVG
    rounding = 2 / 64 if matplotlib.__version_info__ >= (3, 11) else 0.5
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding)


def test_a_pdf_file_has_one_font_of_each_face_without_tables_of_layout() -> None:
    pdf = _svg.files(_figure()).pdf
    faces = set(re.findall(rb"/BaseFont /[A-Z]{6}\+(\S+)", pdf))
    assert faces == {b"DejaVuSans", b"DejaVuSans-Bold"}
    fonts = [
        TTFont(io.BytesIO(stream)) for stream in _streams(pdf) if stream.startswith(b"\0\1\0\0")
    ]
    assert len(fonts) == len(faces)
    letters = set("".join(WORDS)) - {"\n"}
    for font in fonts:
        assert not {"GDEF", "GPOS", "GSUB", "kern"} & set(font.keys())
        assert {"glyf", "hmtx", "cvt ", "fpgm"} <= set(font.keys())
        assert {chr(code) for code in font.getBestCmap()} >= letters


@pytest.mark.parametrize("shape", [(1, 1), (31, 7), (32, 5), (70, 300)])
@pytest.mark.parametrize("opaque", [True, False])
def test_a_png_file_has_each_pixel(shape: tuple[int, int], opaque: bool) -> None:
    image = np.random.default_rng(3).integers(0, 256, (*shape, 4), np.uint8)
    image[..., 3] = 255
    if not opaque:
        image[-1, -1, 3] = 254
    found = Image.open(io.BytesIO(png(image, 100.0)))
    assert found.mode == ("RGB" if opaque else "RGBA")
    found.verify()
    found = Image.open(io.BytesIO(png(image, 100.0)))
    np.testing.assert_array_equal(found.convert("RGBA"), image)
