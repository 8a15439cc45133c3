"""Tables of text: wrapped, parted, or a block of lines for each row where a terminal is narrow."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP = "  "
"""Between two columns."""


def wide(text: str) -> int:
    """Return the columns of a terminal that a text takes: a letter of East Asia takes two."""
    if text.isascii():
        return len(text)
    twice = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + twice - sum(unicodedata.combining(letter) > 0 for letter in text)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text in lines, which end between words and not at hyphens, as of ``--data-dir``.

    A word that is wider than a line is cut.

    Parameters
    ----------
    text : str
    width : int
        Columns of a line.
    indent : str
        Before the lines after the first.
    """
    lines = [""]
    for space, word in re.findall(r"(\s*)(\S+)", text):
        before = space if lines[-1] else ""
        for piece in [word] if wide(word) <= width - len(indent) else word:
            if lines[-1] and wide(lines[-1] + before + piece) > width:
                lines.append(indent + piece)
            else:
                lines[-1] += before + piece
            before = ""
    return lines


def _lines_of(
    cells: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]
) -> Iterator[str]:
    """Give the lines of rows, each cell wrapped at the width of its column."""
    for row in cells:
        lines = [
            wrapped(text, width) if wide(text) > width else [text]
            for text, width in zip(row, widths, strict=True)
        ]
        for parts in itertools.zip_longest(*lines, fillvalue=""):
            aligned = []
            for text, width, right in zip(parts, widths, numeric, strict=True):
                space = " " * (width - wide(text))
                aligned.append(space + text if right else text + space)
            yield GAP.join(aligned).rstrip()


def _total(widths: Sequence[int]) -> int:
    """Return the width of a line of columns."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _heading(name: str) -> str:
    """Return the name of a column with a space wherever it may be wrapped."""
    return name.replace("_", "_ ")


@dataclass(frozen=True)
class Table:
    """Columns of text.

    Attributes
    ----------
    columns : list of str
        Names of the columns.
    cells : list of list of str
        The rows.
    numeric : list of bool
        Whether each column holds numbers, which are aligned to the right.
    """

    columns: list[str]
    cells: list[list[str]]
    numeric: list[bool]

    def fitted(self, room: float) -> list[str]:
        """Return the lines of the table in a width; infinity for any.

        Of these, the first that fits: the table with texts wrapped; that with the columns that are
        equal in all rows below it; the latter in parts; a block of lines for each row.
        """
        if lines := self._wrapped(room):
            return lines
        table, below = self._shortened(int(room))
        if lines := table._wrapped(room) or table._parted(room):
            return lines + below
        return self._blocks(int(room))

    def _chosen(self, places: Sequence[int]) -> "Table":
        """Return a table of some of the columns."""
        return Table(
            [self.columns[i] for i in places],
            [[row[i] for i in places] for row in self.cells],
            [self.numeric[i] for i in places],
        )

    def _widths(self, *, headings: bool = False, words: bool = False) -> list[int]:
        """Return the widths of the columns, the least ones where headings or words are wrapped."""
        found = []
        for name, *values in zip(self.columns, *self.cells, strict=True):
            head = _heading(name).split() if headings else [name]
            found.append(max(map(wide, head + (" ".join(values).split() if words else values))))
        return found

    def _wrapped(self, room: float) -> list[str]:
        """Return the lines of the table with words wrapped; none where a word is too wide."""
        widths = self._widths()
        for least in (self._widths(headings=True), self._widths(headings=True, words=True)):
            while _total(widths) > room and widths != least:
                spare = [i for i, width in enumerate(widths) if width > least[i]]
                widths[max(spare, key=widths.__getitem__)] -= 1
        if _total(widths) > room:
            return []
        above = [
            [name]
            if wide(name) <= width
            else [line.replace("_ ", "_") for line in wrapped(_heading(name), width)]
            for name, width in zip(self.columns, widths, strict=True)
        ]
        top = itertools.zip_longest(*above, fillvalue="")
        rule = ["-" * width for width in widths]
        return list(_lines_of([*map(list, top), rule, *self.cells], widths, self.numeric))

    def _shortened(self, room: int) -> "tuple[Table, list[str]]":
        """Return the columns that differ between rows, and the lines that say the others.

        All columns are returned where fewer than two differ.
        """
        values = [{row[i] for row in self.cells} for i in range(len(self.columns))]
        differing = [i for i, own in enumerate(values) if len(own) > 1]
        if len(differing) < 2:
            return self, []
        equal = zip(self.columns, self.cells[0], values, strict=True)
        same = [f"{name} {text}" for name, text, own in equal if len(own) == 1 and text]
        below = wrapped(f"in all rows: {'; '.join(same)}", room) if same else []
        return self._chosen(differing), below

    def _parted(self, room: float) -> list[str]:
        """Return tables below each other that share the columns which tell rows apart.

        There are none where each would have one column beside those.
        """
        count = len(self.columns)
        words = self.numeric.index(False) + 1 if False in self.numeric else 1
        distinct = [len({tuple(row[:n]) for row in self.cells}) for n in range(count + 1)]
        keys = max(words, distinct.index(len(self.cells)) if len(self.cells) in distinct else 1)
        least = self._widths(headings=True, words=True)[:keys] + self._widths(headings=True)[keys:]
        parts: list[list[int]] = []
        for place in range(keys, count):
            if parts and _total([least[i] for i in (*parts[-1], place)]) <= room:
                parts[-1].append(place)
            else:
                parts.append([*range(keys), place])
        if len(parts) == count - keys or any(_total([least[i] for i in p]) > room for p in parts):
            return []
        return [line for part in parts for line in (*self._chosen(part)._wrapped(room), "")][:-1]

    def _blocks(self, room: int) -> list[str]:
        """Return a block of lines for each row, a line for each value."""
        left = min(max(map(wide, self.columns)), max(1, room // 2))
        right = max(1, room - left - len(GAP))
        lines: list[str] = []
        for row in self.cells:
            named = [[name, text] for name, text in zip(self.columns, row, strict=True) if text]
            lines += [*_lines_of(named, (left, right), (False, False)), ""]
        return lines[:-1]
