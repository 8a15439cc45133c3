"""Output of the verbs: tables, JSON, progress, and errors of usage."""

import json
import math
import numbers
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from initperf._core.cells import cell
from initperf._core.display import progress as progress
from initperf._core.text import one_line
from initperf.errors import UsageError

_GAP = "  "
_NARROWEST = 12
"""Characters to which a column of words may be wrapped."""


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
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else math.inf
    if sum(widths) + len(_GAP) * (len(widths) - 1) > room:
        _show_fitted(columns, cells, numeric, int(room))
        return
    for line in [columns, ["-" * width for width in widths], *cells]:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        print(_GAP.join(parts).rstrip())


def _show_fitted(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> None:
    """Print a table that is too wide for the terminal: words wrapped, or one block a row.

    Parameters
    ----------
    columns : sequence of str
        Names of the columns.
    cells : sequence of sequence of str
        The rows.
    numeric : sequence of bool
        Whether each column holds numbers, which are not wrapped.
    width : int
        Characters of a line.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=width, highlight=False)
    least = [
        max(map(len, column)) if right else _NARROWEST
        for right, column in zip(numeric, zip(columns, *cells, strict=True), strict=True)
    ]
    if sum(least) + len(_GAP) * len(least) <= width:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name, right in zip(columns, numeric, strict=True):
            table.add_column(
                Text(name), justify="right" if right else "left", no_wrap=right, overflow="fold"
            )
        for line in cells:
            table.add_row(*map(Text, line))
        console.print(table)
        return
    longest = max(map(len, columns))
    for line in cells:
        block = Table.grid(padding=(0, 2))
        block.add_column(width=min(longest, width // 2), overflow="fold")
        block.add_column(overflow="fold")
        for name, text in zip(columns, line, strict=True):
            if text:
                block.add_row(Text(name), Text(text))
        console.print(block)
        console.print()


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
