"""Tables of trials in CSV, and the one that is part of the package.

A file begins with lines ``# name: value`` that say when, by which commands and on what it was made.
"""

import csv
import dataclasses
import importlib.resources
import io
import os
from pathlib import Path
from typing import Any

from initperf._core.reading import read_text
from initperf._core.storage import replacing
from initperf.errors import DataError, UsageError
from initperf.report.trainability.evidence import Evidence, Trial

SHIPPED = "evidence.csv"
"""Name of the table that is part of the package, made by ``initperf depths --export``."""

_KINDS = {field.name: field.type for field in dataclasses.fields(Trial)}


def write(path: str | os.PathLike[str], evidence: Evidence) -> None:
    """Write trials to a CSV file, sorted, with their origin in its first lines.

    Parameters
    ----------
    path : path
        Replaced whole, or not at all.
    evidence : Evidence

    Raises
    ------
    initperf.errors.UsageError
        When it cannot be written.
    """
    text = io.StringIO()
    for name, value in evidence.origin.items():
        text.write(f"# {name}: {' '.join(value.split())}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_KINDS)
    rows: list[tuple[Any, ...]] = [dataclasses.astuple(trial) for trial in evidence.trials]
    rows.sort(key=lambda row: row[1:])
    table.writerows(rows)
    try:
        with replacing(Path(path)) as fresh:
            fresh.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None


def read(path: str | os.PathLike[str]) -> Evidence:
    """Read trials from a CSV file.

    Raises
    ------
    initperf.errors.DataError
        For a file that cannot be read, or is none that `write` wrote.
    """
    try:
        text = read_text(path)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"no readable table of trials {os.fspath(path)!r}: {reason}") from None
    return _parsed(text, os.fspath(path))


def shipped() -> Evidence:
    """Return the trials that are part of the package."""
    file = importlib.resources.files("initperf.report.trainability") / SHIPPED
    return _parsed(file.read_text(encoding="utf-8"), SHIPPED)


def _parsed(text: str, name: str) -> Evidence:
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("#")]
    origin = {}
    for line in head:
        fact, _, value = line.removeprefix("#").partition(":")
        origin[fact.strip()] = value.strip()
    table = csv.DictReader(lines[len(head) :])
    if list(table.fieldnames or ()) != list(_KINDS):
        raise DataError(f"{name} is no table of trials: its columns must be {', '.join(_KINDS)}")
    trials = []
    for number, row in enumerate(table, start=len(head) + 2):
        try:
            trials.append(Trial(**{key: _value(key, value) for key, value in row.items()}))
        except (KeyError, TypeError, ValueError):
            raise DataError(f"{name}, line {number}: no trial") from None
    return Evidence(tuple(trials), origin)


def _value(name: str, text: Any) -> Any:
    kind: Any = _KINDS[name]
    return kind(text)
