"""Output of the verbs: tables, JSON, progress, and errors of usage."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from initperf._core.cells import cell
from initperf._core.progress import Progress
from initperf.errors import UsageError


@contextmanager
def usage() -> Iterator[None]:
    """Report a TypeError or ValueError of the block as an error of usage: one line, exit 2."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from None


def show(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows as a table, with numbers aligned to the right, or as JSON.

    Parameters
    ----------
    rows : sequence of mapping
        Values by column; a column that a row lacks stays empty in it.
    as_json : bool
        Whether to print JSON.
    """
    if as_json:
        print(json.dumps(list(rows), indent=2, ensure_ascii=False, default=str))
        return
    if not rows:
        print("nothing to show")
        return
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    numeric = [
        all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        for column in columns
    ]
    for line in [columns, ["-" * width for width in widths], *cells]:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        print("  ".join(parts).rstrip())


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show progress on stderr: a bar on a terminal, elsewhere a line for each tenth.

    Yields
    ------
    callable
        To be called with (steps done, steps in all, label of the next step).
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (
            "[bold]{task.fields[title]}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            "{task.description}",
        )
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, title=title)
            yield lambda done, total, label: bar.update(
                task, completed=done, total=total, description=label
            )
        return
    last = -1

    def line(done: int, total: int, label: str) -> None:
        nonlocal last
        tenth = 10 * done // max(total, 1)
        if tenth > last:
            last = tenth
            print(f"{title}: {done} of {total} {label}".rstrip(), file=sys.stderr, flush=True)

    yield line
