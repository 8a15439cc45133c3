"""Tables on terminals that are too narrow for them; no word is cut but one that is wider still."""

import itertools
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP = "  "
"""Between two columns."""


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text in lines, which end between words and not at hyphens, as of ``--data-dir``.

    Parameters
    ----------
    text : str
    width : int
        Characters of a line.
    indent : str
        Before the lines after the first.
    """
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def lines_of(
    cells: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]
) -> Iterator[str]:
    """Give the lines of rows, each cell wrapped at the width of its column.

    Parameters
    ----------
    cells : sequence of sequence of str
        The rows.
    widths : sequence of int
        Of the columns, at least 1.
    numeric : sequence of bool
        Whether each column is aligned to the right.
    """
    for row in cells:
        lines = [
            wrapped(text, width) if len(text) > width else [text]
            for text, width in zip(row, widths, strict=True)
        ]
        for parts in itertools.zip_longest(*lines, fillvalue=""):
            aligned = [
                text.rjust(width) if right else text.ljust(width)
                for text, width, right in zip(parts, widths, numeric, strict=True)
            ]
            yield GAP.join(aligned).rstrip()


def _wide(widths: Sequence[int]) -> int:
    """Return the characters of a line of columns."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _heading(name: str) -> str:
    """Return the name of a column with a space wherever it may be wrapped."""
    return name.replace("_", "_ ")


@dataclass(frozen=True)
class Table:
    """Columns of text that are too wide for a terminal.

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

    def chosen(self, places: Sequence[int]) -> "Table":
        """Return a table of some of the columns."""
        return Table(
            [self.columns[i] for i in places],
            [[row[i] for i in places] for row in self.cells],
            [self.numeric[i] for i in places],
        )

    def fitted(self, room: int) -> list[str]:
        """Return the lines of the table in a width, in whichever way takes the fewest."""
        differing, below = self._shortened(room)
        found = [self._wrapped(room), differing._wrapped(room) + below]
        for narrow in (False, True):
            found += [self._parted(room, narrow), differing._parted(room, narrow) + below]
        found.append(self._blocks(room))
        return min((lines for lines in found if lines and lines != below), key=len)

    def _wrapped(self, room: int) -> list[str]:
        """Return the lines of the table with words wrapped; none where a word is too wide."""
        if not self.columns:
            return []
        widths = [
            max(map(len, (name, *values)))
            for name, *values in zip(self.columns, *self.cells, strict=True)
        ]
        for least in (self._widths(), self._widths(words=True)):
            while _wide(widths) > room and widths != least:
                spare = [i for i, width in enumerate(widths) if width > least[i]]
                widths[max(spare, key=widths.__getitem__)] -= 1
        if _wide(widths) > room:
            return []
        heads = [
            name if len(name) <= width else _heading(name)
            for name, width in zip(self.columns, widths, strict=True)
        ]
        above = [wrapped(head, width) for head, width in zip(heads, widths, strict=True)]
        top = [
            [line.replace("_ ", "_") for line in lines]
            for lines in itertools.zip_longest(*above, fillvalue="")
        ]
        rule = ["-" * width for width in widths]
        return list(lines_of([*top, rule, *self.cells], widths, self.numeric))

    def _widths(self, words: bool = False) -> list[int]:
        """Return the least widths of the columns, in which headings are wrapped.

        Parameters
        ----------
        words : bool
            Whether words of the rows are, too.
        """
        found = []
        for name, *values in zip(self.columns, *self.cells, strict=True):
            if words:
                values = " ".join(values).split()
            found.append(max(map(len, (*_heading(name).split(), *values))))
        return found

    def _parted(self, room: int, narrow: bool) -> list[str]:
        """Return tables below each other that share the columns which tell rows apart; or none.

        Parameters
        ----------
        room : int
            Characters of a line.
        narrow : bool
            Whether words of these columns are wrapped, for more columns beside them.
        """
        if not self.columns:
            return []
        words = self.numeric.index(False) + 1 if False in self.numeric else 1
        counts = range(1, len(self.columns) + 1)
        keys = max(words, next((n for n in counts if self._distinct(n) == len(self.cells)), 1))
        widths = self._widths(words=narrow)[:keys] + self._widths()[keys:]
        parts: list[list[int]] = []
        for place in range(keys, len(self.columns)):
            fuller = [*parts[-1], place] if parts else []
            if fuller and _wide([widths[i] for i in fuller]) <= room:
                parts[-1] = fuller
            else:
                parts.append([*range(keys), place])
        if not parts or max(_wide([widths[i] for i in part]) for part in parts) > room:
            return []
        return [line for part in parts for line in (*self.chosen(part)._wrapped(room), "")][:-1]

    def _distinct(self, columns: int) -> int:
        """Return how many rows differ in the first columns."""
        return len({tuple(row[:columns]) for row in self.cells})

    def _shortened(self, room: int) -> "tuple[Table, list[str]]":
        """Return the columns that differ between rows, and the lines that say the others."""
        values = [{row[i] for row in self.cells} for i in range(len(self.columns))]
        same = [
            f"{name} {text}"
            for name, text, own in zip(self.columns, self.cells[0], values, strict=True)
            if len(own) == 1 and text
        ]
        below = wrapped(f"in all rows: {', '.join(same)}", room) if same else []
        return self.chosen([i for i, own in enumerate(values) if len(own) > 1]), below

    def _blocks(self, room: int) -> list[str]:
        """Return a block of lines for each row, a line for each value."""
        left = min(max(map(len, self.columns)), max(1, room // 2))
        right = max(1, room - left - len(GAP))
        lines: list[str] = []
        for row in self.cells:
            named = [[name, text] for name, text in zip(self.columns, row, strict=True) if text]
            lines += [*lines_of(named, (left, right), (False, False)), ""]
        return lines[:-1]
