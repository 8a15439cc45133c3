"""Index of a store: the facts of all runs in one file, made again from theirs where it is old.

The files of runs are what counts. A row of the index holds for a file of the same size and time of
change; other files are read, and when many were, the index is written anew.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from initperf.errors import DataError
from initperf.training._files import written_whole
from initperf.training._run_file import UNREADABLE

FILE = "_index.arrow"
"""Name of the index: readers of a directory of Parquet files pass over leading underscores."""

_SIZE, _TIME = "file_bytes", "file_time_ns"
FEW = 100
"""Runs that may be read from their own files before the index is written again."""


def facts(
    directory: Path, files: dict[str, Path], read: Callable[[str], Any]
) -> tuple[Any, dict[str, str]]:
    """Return the facts of all runs of a store.

    Parameters
    ----------
    directory : pathlib.Path
        Of the store.
    files : dict of str to pathlib.Path
        File of each run, by the run's name.
    read : callable
        Returns the facts of the run of a name, as a table of Arrow with one row.

    Returns
    -------
    tuple
        Table of Arrow with a row a run, and for each run that cannot be read the reason.
    """
    stamps = {name: _stamp(path) for name, path in files.items()}
    known = _known(directory / FILE)
    names = known.column("run").to_pylist()
    recorded = zip(known.column(_SIZE).to_pylist(), known.column(_TIME).to_pylist(), strict=True)
    valid = [stamps.get(name) == stamp for name, stamp in zip(names, recorded, strict=True)]
    tables = [known.filter(pa.array(valid, pa.bool_()))]
    covered = {name for name, holds in zip(names, valid, strict=True) if holds}
    damaged: dict[str, str] = {}
    missing = [name for name in stamps if name not in covered]
    for name in missing:
        try:
            row = read(name)
        except (*UNREADABLE, DataError) as error:
            damaged[name] = " ".join(str(error).split())
            continue
        for column, value in zip((_SIZE, _TIME), stamps[name], strict=True):
            row = row.append_column(column, pa.array([value], pa.int64()))
        tables.append(row)
    whole = pa.concat_tables(tables, promote_options="default").sort_by("run").combine_chunks()
    if len(missing) - len(damaged) > FEW or len(names) - len(covered) > FEW:
        with contextlib.suppress(OSError):  # a read-only store is listed without an index
            _write(directory / FILE, whole)
    return whole.drop_columns([_SIZE, _TIME]), damaged


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _known(path: Path) -> Any:
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
        table.validate(full=True)
        if {"run", _SIZE, _TIME} <= set(table.column_names):
            return table
    except UNREADABLE:  # absent or damaged: facts are read from the runs
        pass
    return pa.table(
        {
            "run": pa.array([], pa.string()),
            **{name: pa.array([], pa.int64()) for name in (_SIZE, _TIME)},
        }
    )


def _write(path: Path, table: Any) -> None:
    with (
        written_whole(path) as temporary,
        pa.OSFile(str(temporary), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)
