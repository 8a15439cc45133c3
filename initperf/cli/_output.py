"""Output of the verbs: tables, JSON, progress, and errors of usage."""

import itertools
import json
import math
import numbers
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from initperf._core.cells import cell
from initperf._core.display import progress as progress
from initperf._core.text import one_line
from initperf.errors import UsageError

_GAP = "  "


@contextmanager
def usage() -> Iterator[None]:
    """Report a TypeError or ValueError of the block as an error of usage: one line, exit 2."""
    try:
        yield
    except UsageError:  # with its cause, for --traceback
        raise
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from None


def show(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows as a table, with numbers aligned to the right, or as JSON.

    On a terminal, a table that is wider than it is wrapped.

    Parameters
    ----------
    rows : sequence of mapping
        Values by column; a column that a row lacks stays empty in it.
    as_json : bool
        Whether to print JSON.
    """
    if as_json:
        show_json(list(rows))
        return
    if not rows:
        print("nothing to show")
        return
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[one_line(cell(row.get(column))) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [
        all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        for column in columns
    ]
    room = _room() if sys.stdout.isatty() else math.inf
    if sum(widths) + len(_GAP) * (len(widths) - 1) > room:
        lines = _fitted(columns, cells, numeric, int(room))
    else:
        lines = list(_lines([columns, ["-" * width for width in widths], *cells], widths, numeric))
    print("\n".join(lines))


def explain(text: str) -> None:
    """Print what stands below a table: one line, on a terminal wrapped at its width."""
    print("\n".join(textwrap.wrap(text, _room() if sys.stdout.isatty() else len(text) + 1)))


def _room() -> int:
    return shutil.get_terminal_size().columns


def _lines(
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
        wrapped = [textwrap.wrap(text, width) for text, width in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*wrapped, fillvalue=""):
            aligned = [
                text.rjust(width) if right else text.ljust(width)
                for text, width, right in zip(parts, widths, numeric, strict=True)
            ]
            yield _GAP.join(aligned).rstrip()


def _fitted(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], room: int
) -> list[str]:
    """Return a table that is too wide for the terminal: words wrapped, or one block a row.

    It is the shorter of the two. No word is cut but one that is wider than the terminal.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns.
    cells : sequence of sequence of str
        The rows.
    numeric : sequence of bool
        Whether each column holds numbers, which are not wrapped.
    room : int
        Characters of a line.
    """
    left = min(max(map(len, columns)), max(1, room // 2))
    right = max(1, room - left - len(_GAP))
    blocks: list[str] = []
    for row in cells:
        named = [(name, text) for name, text in zip(columns, row, strict=True) if text]
        blocks += [*_lines(named, (left, right), (False, False)), ""]
    words = [[columns[i], *(row[i] for row in cells)] for i in range(len(columns))]
    least = [
        max(len(part) for text in texts for part in ([text] if number else text.split() or [""]))
        for texts, number in zip(words, numeric, strict=True)
    ]
    widths = [max(map(len, texts)) for texts in words]
    room -= len(_GAP) * (len(columns) - 1)
    while sum(widths) > room:
        spare = [i for i, width in enumerate(widths) if width > least[i]]
        if not spare:
            return blocks[:-1]
        widths[max(spare, key=widths.__getitem__)] -= 1
    rule = ["-" * width for width in widths]
    table = list(_lines([columns, rule, *cells], widths, numeric))
    return min(table, blocks[:-1], key=len)


def without_nan(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row with None, an empty cell, in the place of each NaN."""
    return {
        str(name): None if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
    }


def show_json(value: Any) -> None:
    """Print a value as JSON: numbers that are not finite as null, what has no JSON as text.

    Parameters
    ----------
    value : object
        Dictionaries, lists, words and numbers, NumPy's too.
    """
    unicode = "utf" in (sys.stdout.encoding or "").lower()
    print(json.dumps(_plain(value), indent=2, ensure_ascii=not unicode, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else None
    return str(value)


def moments(weights: Any) -> tuple[float, float]:
    """Return mean and standard deviation of weights, without overflow.

    Parameters
    ----------
    weights : numpy.ndarray
        Not empty, of any floating dtype.
    """
    import numpy as np

    largest = float(np.abs(weights).max())
    # a power of two, so that nothing is rounded by the division
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest else 1.0
    scaled = np.asarray(weights, np.float64) / unit
    return float(scaled.mean()) * unit, float(scaled.std()) * unit
