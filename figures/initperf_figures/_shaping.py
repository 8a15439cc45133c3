"""Fonts that shape each text once: matplotlib would do so again for each renderer and figure.

Labels recur in the panels of a figure, in its files and in other figures, and to find their
glyphs, with kerning, takes longer than to draw them.
"""

import functools
from typing import Any, NamedTuple

from matplotlib.ft2font import FT2Font, LoadFlags

_MOST = 10_000  # texts, which take some 10 MB


def remembering(font: FT2Font, size: float, dpi: float, *, loads: bool) -> Any:
    """Return a font that works as this one does at its present size, and remembers.

    It is the font itself where matplotlib, before 3.11, does not ask fonts to lay text out.

    Parameters
    ----------
    font : matplotlib.ft2font.FT2Font
        With its size set.
    size, dpi : float
        That size, in points, and the resolution.
    loads : bool
        Whether whoever asks for a layout loads each glyph, as for vector formats: most are then
        loaded for nothing.
    """
    return _Remembering(font, size, dpi, loads) if hasattr(font, "_layout") else font


class _Extent(NamedTuple):
    """Where the glyphs of a text are, and its width, height and descent in 1/64 of a pixel."""

    places: Any
    size: tuple[int, int]
    descent: int


class _Remembering:
    """A font at a size, as `remembering` returns it."""

    def __init__(self, font: FT2Font, size: float, dpi: float, loads: bool) -> None:
        self._font, self._at, self._loads = font, (size, dpi), loads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._font, name)

    def set_text(self, text: str, angle: float = 0.0, **options: Any) -> Any:
        self._extent = _extent(self._font, *self._at, text, angle, **options)
        return self._extent.places

    def get_width_height(self) -> tuple[int, int]:
        return self._extent.size

    def get_descent(self) -> int:
        return self._extent.descent

    def _layout(self, text: str, flags: LoadFlags, **options: Any) -> Any:
        lay_out = _outlined if self._loads else _laid_out
        return lay_out(self._font, *self._at, text, flags, **options)


@functools.lru_cache(_MOST)
def _extent(
    font: FT2Font, size: float, dpi: float, text: str, angle: float, **options: Any
) -> _Extent:
    font.set_size(size, dpi)
    places = font.set_text(text, angle, **options)
    return _Extent(places, font.get_width_height(), font.get_descent())


@functools.lru_cache(_MOST)
def _laid_out(
    font: Any, size: float, dpi: float, text: str, flags: LoadFlags, **options: Any
) -> list[Any]:
    font.set_size(size, dpi)
    found: list[Any] = font._layout(text, flags, **options)
    return found


class _Item(NamedTuple):
    """A glyph of a text; the fields are those of matplotlib's items."""

    ft_object: "_Outlines"
    char: str
    glyph_index: int
    x: float
    y: float
    prev_kern: float


@functools.lru_cache(_MOST)
def _outlined(
    font: FT2Font, size: float, dpi: float, text: str, flags: LoadFlags, **options: Any
) -> list[_Item]:
    items = _laid_out(font, size, dpi, text, flags, **options)
    faces = {id(item.ft_object): _Outlines(item.ft_object, size, dpi) for item in items}
    return [
        _Item(
            faces[id(item.ft_object)], item.char, item.glyph_index, item.x, item.y, item.prev_kern
        )
        for item in items
    ]


class _Outlines:
    """A font at a size that loads a glyph when its outline is asked for."""

    def __init__(self, font: FT2Font, size: float, dpi: float) -> None:
        self._font, self._size, self._dpi = font, size, dpi
        self.fname = font.fname
        self.face_index = font.face_index
        self.postscript_name = font.postscript_name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._font, name)

    def load_glyph(self, index: Any, flags: LoadFlags) -> None:
        self._index, self._flags = index, flags

    def get_path(self) -> Any:
        self._font.set_size(self._size, self._dpi)
        self._font.load_glyph(self._index, flags=self._flags)
        return self._font.get_path()
