"""Smaller fonts in PDF files, which take a third of the time to make."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fontTools import subset

_PLACING = ("GDEF", "GPOS", "GSUB", "MATH", "kern")


@contextmanager
def without_layout_tables() -> Iterator[None]:
    """Within the block, fonts that are reduced to some glyphs lose the tables that place glyphs.

    A PDF file says itself where each glyph is, and it takes most of the time to reduce these
    tables. Neither matplotlib nor fontTools has an option to leave them out unread.
    """
    load = subset.load_font

    def load_less(*arguments: Any, **options: Any) -> Any:
        font = load(*arguments, **options)
        for table in _PLACING:
            if table in font:
                del font[table]
        return font

    subset.load_font = load_less
    try:
        yield
    finally:
        subset.load_font = load
