"""Checks of models as people see them: text for a terminal, and a page of one file."""

import io
import math
import os
import shutil
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf._core.cells import cell
from initperf._core.markup import record
from initperf._core.storage import replacing
from initperf.torch.pictures import drawer

if TYPE_CHECKING:
    from initperf.torch.signals.result import CheckResult

SHOWN = 40
"""Most operations in a table that is printed."""

_MARK = "×"
_WORDS = ("operation", "kind", "agreement", "found")
_COLUMNS = ((116, 10), (80, 6), (0, 3))
"""Least widths of terminals, and how many columns are shown there."""

_WORST = ("wrong", "by chance of this seed", "as predicted", "not known")
_LAYERS = ("linear", "convolution", "recurrent", "embedding", "residual")


def operations(result: "CheckResult") -> list[dict[str, Any]]:
    """Return a row an operation: medians over seeds, and the worst agreement with theory.

    Parameters
    ----------
    result : CheckResult

    Returns
    -------
    list of dict
        By the headings of a table, in the order of execution. Gradients are those of the loss
        where there is one. The last column marks what a finding names.
    """
    records = result.records()
    direction = "loss" if any(each["direction"] == "loss" for each in records) else "cotangent"
    forward: dict[str, list[dict[str, Any]]] = {}
    backward: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        if each["direction"] == "forward":
            forward.setdefault(each["name"], []).append(each)
        elif each["direction"] == direction:
            backward.setdefault(each["name"], []).append(each)
    named = {name for each in result.findings for name in (each.name, *each.layers)}
    return [
        {
            "operation": name,
            "kind": rows[0]["kind"],
            "rms": _root(rows, "second_moment"),
            "theory": _root(rows, "predicted"),
            "agreement": min((row["agreement"] for row in rows), key=_WORST.index),
            "gradient": _root(backward.get(name, ()), "second_moment"),
            "zeros": _median(rows, "zeros"),
            "dead": _median(rows, "dead"),
            "largest": max(row["largest"] for row in rows),
            "found": _MARK if name in named else "",
        }
        for name, rows in forward.items()
    ]


def _median(rows: Iterable[Mapping[str, Any]], column: str) -> float:
    values = [row[column] for row in rows if not math.isnan(row[column])]
    return statistics.median(values) if values else math.nan


def _root(rows: Iterable[Mapping[str, Any]], column: str) -> float:
    middle = _median(rows, column)
    return math.sqrt(middle) if middle >= 0.0 else math.nan


def shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that are printed: all, or layers and what findings name, evenly thinned."""
    if len(rows) <= SHOWN:
        return list(rows)
    kept = [row for row in rows if row["found"] or row["kind"] in _LAYERS]
    marked = sum(bool(row["found"]) for row in kept)
    step = max(1, math.ceil((len(kept) - marked) / max(1, SHOWN - marked)))
    plain = [row for row in kept if not row["found"]][::step]
    chosen = {id(row) for row in plain}
    return [row for row in kept if row["found"] or id(row) in chosen]


def sentence(result: "CheckResult") -> str:
    """Return the verdict in one sentence: healthy, or the first finding and how many follow."""
    if result.healthy:
        return "healthy"
    more = len(result.findings) - 1
    others = f" (and {more} more {'finding' if more == 1 else 'findings'})" if more else ""
    return f"not healthy: {result.findings[0].text}{others}"


def text(result: "CheckResult") -> str:
    """Return the verdict, the findings and a table: of rich on a terminal, else plain text."""
    rows = operations(result)
    printed = shown(rows)
    lines = [[cell(value, missing="–", typographic=True) for value in r.values()] for r in printed]
    table = [list(printed[0]), *lines] if printed else []
    left_out = len(rows) - len(printed)
    note = f"{left_out} of {len(rows)} operations are not shown; .table has all" if left_out else ""
    found = [f"{each.kind}: {each}" for each in (*result.findings, *result.notes)]
    if sys.stdout.isatty():
        return _rich(sentence(result), found, table, note)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    aligned = [
        "  ".join(part.ljust(wide) for part, wide in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    notes = ["", note] if note else []
    return "\n".join([sentence(result), *(f"- {each}" for each in found), "", *aligned, *notes])


def _rich(verdict: str, found: Sequence[str], lines: Sequence[Sequence[str]], note: str) -> str:
    """Return the same with colours, as wide as the terminal.

    Parameters
    ----------
    verdict : str
    found : sequence of str
        Findings and notes.
    lines : sequence of sequence of str
        The table, its headings first.
    note : str
        Below the table.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    columns = shutil.get_terminal_size().columns
    written = io.StringIO()
    colours = "NO_COLOR" not in os.environ
    console = Console(file=written, width=columns, force_terminal=colours, highlight=False)
    console.print(Text(verdict, style="bold green" if verdict == "healthy" else "bold red"))
    for each in found:
        console.print(Padding(Text(each), (0, 0, 0, 2)))
    # of the columns, the first matter most, and the mark at the end
    kept = next(count for least, count in _COLUMNS if columns >= least)
    keep = [*range(kept), *([len(lines[0]) - 1] if lines and kept < len(lines[0]) else [])]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place in keep if lines else ():
        side = "left" if lines[0][place] in _WORDS else "right"
        table.add_column(lines[0][place], justify=side, no_wrap=place > 0, overflow="fold")
    for line in lines[1:]:
        table.add_row(*(Text(line[place]) for place in keep), style="red" if line[-1] else "")
    if lines:
        console.print(table)
    if note:
        console.print(Text(note, style="dim"))
    return "\n".join(line.rstrip() for line in written.getvalue().rstrip("\n").split("\n"))


def html(result: "CheckResult", title: str) -> str:
    """Return a page of one file, which loads no other.

    Parameters
    ----------
    result : CheckResult
    title : str
        Name of the model.
    """
    page: str = drawer("page")(
        title=title,
        verdict=sentence(result),
        healthy=result.healthy,
        findings=[asdict(each) for each in result.findings],
        notes=[asdict(each) for each in result.notes],
        facts=facts(result),
        rows=operations(result),
        table=result.table,
    )
    return page


def write_html(result: "CheckResult", path: str | Path, title: str) -> Path:
    """Write the page, whole or not at all, and return its path.

    Parameters
    ----------
    result : CheckResult
    path : str or pathlib.Path
    title : str

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    target = Path(path)
    whole = html(result, title)
    with replacing(target) as temporary:
        temporary.write_text(whole, "utf-8")
    return target


def notebook(result: "CheckResult") -> str:
    """Return the verdict, the findings and the layers as HTML, as notebooks show them."""
    found = {f"{each.kind}: {each.name}": str(each) for each in (*result.findings, *result.notes)}
    rows = shown(operations(result))
    layers = {
        f"{row['operation']} {row['found']}".rstrip(): (
            f"rms {cell(row['rms'])}, theory {cell(row['theory'])}, gradient "
            f"{cell(row['gradient'])}"
        )
        for row in rows
    }
    heading = "healthy" if result.healthy else f"{len(result.findings)} findings"
    return record(heading, {**facts(result), **found, **layers})


def facts(result: "CheckResult") -> dict[str, str]:
    """Return what stands at the head of a page, by name."""
    seeds = {each.seed for each in result.measurements}
    sizes = {each.name: math.prod(each.shape) for each in result.parameters}
    found = {
        "parameters": f"{sum(sizes.values()):,}",
        "operations": f"{len(result.operations):,}",
        "seeds": f"{len(seeds)}",
    }
    loss = result.initial_loss
    if loss is not None:
        found["loss at the start"] = cell(loss.value)
    return found
