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
from initperf.cli._table import Table, wrapped
from initperf.errors import UsageError


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

    On a terminal, a table that is wider is wrapped between words, and where that is not enough
    parted into several, or each row has lines of its own; see `initperf.cli._table.Table`.

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
    numeric = [
        all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        for column in columns
    ]
    room = _room() if sys.stdout.isatty() else math.inf
    print("\n".join(Table(columns, cells, numeric).fitted(room)))


def explain(text: str, indent: int = 0) -> None:
    """Print a line, on a terminal wrapped at its width.

    Parameters
    ----------
    text : str
    indent : int
        Spaces before the lines after the first, at most half of the width.
    """
    if not sys.stdout.isatty():
        print(text)
        return
    room = _room()
    print("\n".join(wrapped(text, room, min(indent, room // 2) * " ")))


def _room() -> int:
    return shutil.get_terminal_size().columns


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
