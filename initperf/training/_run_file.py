"""File of one run: Parquet with one row, its facts as columns and its tables as nested columns.

Columns of facts can be read without this package: settings by their flat names, where the run's
optimizer and schedule have them, and how it ended. ``epoch_rows``, ``step_rows``, ``layer_rows``
and ``histogram_rows`` are lists of structures, one for each row of the table. The metadata's
``initperf`` is a JSON text of the run, the version of this layout and the environment, with its
SHA-256 beside it; pages have checksums.
"""

import dataclasses
import functools
import hashlib
import json
import math
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from initperf.errors import DataError
from initperf.training._nested import SCHEMA
from initperf.training._spelling import check_imported
from initperf.training.experiment import Experiment, settings
from initperf.training.run import Run

LAYOUT = 2
"""Version of the files of a store; 1 had a directory of five files for each run."""

TABLES = ("epoch_rows", "step_rows", "layer_rows", "histogram_rows")

_KEY, _DIGEST = b"initperf", b"initperf.sha256"
_KINDS = {int: pa.int64(), float: pa.float64(), str: pa.string()}
_RESULTS = {
    "status": pa.string(),
    "diverged_step": pa.int64(),
    "diverged_layer": pa.int64(),
    "test_accuracy": pa.float64(),
    "test_r2": pa.float64(),
    "train_seconds": pa.float64(),
    "compile_seconds": pa.float64(),
}

UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    MemoryError,
    RecursionError,
    pa.ArrowException,
)
"""What reading a damaged file raises."""


def write(path: Path, run: Run) -> None:
    """Write a run into a file; raise OSError where it cannot be written."""
    table = as_table(run)
    for name in TABLES:
        nested = _nested(getattr(run, _attribute(name)))
        table = table.append_column(name, nested)
    described = described_run(run) | {"columns": _names(table.schema)}
    text = json.dumps(described, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(text).hexdigest().encode()
    # without store_schema: the copy of Arrow's schema would be as large as all facts together
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
        store_schema=False,
    ) as file:
        file.write_table(table)
        file.add_key_value_metadata({_KEY: text, _DIGEST: digest})


def _attribute(table: str) -> str:
    """Return the attribute of `Run` that holds the columns of a table."""
    return f"{table.removesuffix('_rows')}_columns"


def as_table(run: Run) -> Any:
    """Return the facts of a run as a table of Arrow with one row."""
    facts = facts_of(run)
    return pa.table({key: pa.array([facts[key]], kind) for key, kind in facts_schema().items()})


def _names(schema: Any) -> str:
    """Return a digest of the columns' names and of those of their fields.

    Parquet has checksums of pages, and none of its footer, where the names are.
    """
    names = [
        [field.name, *([part.name for part in field.type.value_type] if _is_list(field) else [])]
        for field in schema
    ]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]


def _is_list(field: Any) -> bool:
    return bool(pa.types.is_list(field.type))


def _nested(columns: dict[str, np.ndarray]) -> Any:
    """Return a table as one list of structures."""
    arrays = {name: pa.array(np.ascontiguousarray(values)) for name, values in columns.items()}
    structures = pa.StructArray.from_arrays(list(arrays.values()), names=list(arrays))
    return pa.ListArray.from_arrays(pa.array([0, len(structures)], pa.int32()), structures)


def described_run(run: Run) -> dict[str, Any]:
    """Return what a file says of a run beside its tables: layout, facts and environment."""
    facts = {one.name: getattr(run, one.name) for one in dataclasses.fields(run) if one.repr}
    if run.test_r2 is None:  # earlier versions of initperf do not know it
        del facts["test_r2"]
    else:
        facts |= {name: _number(facts[name]) for name in ("test_accuracy", "test_r2")}
    facts["experiment"] = run.experiment.to_dict()
    return {"layout": LAYOUT, "run": facts, "environment": _environment()}


def _number(value: float | None) -> float | None:
    """Return a number, or None for NaN, which JSON and columns of facts do not hold."""
    return None if value is None or math.isnan(value) else value


@functools.cache
def _environment() -> dict[str, str]:
    """Return versions and machine of the process."""
    import numba

    from initperf import __version__

    return {
        "initperf": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
    }


def read(path: Path) -> Run:
    """Read a run.

    Raises
    ------
    LayoutError
        For a file of a later version.
    one of UNREADABLE
        For a file that is damaged, or of another run than its name says.
    """
    with _opened(path) as file:
        run = _facts(file, path)
        table = file.read(columns=list(TABLES))
    columns: dict[str, Any] = {}
    for name in TABLES:
        rows = table.column(name).combine_chunks().flatten()
        columns[_attribute(name)] = {
            field.name: rows.field(index).to_numpy(zero_copy_only=False)
            for index, field in enumerate(rows.type)
        }
    check_imported(run["experiment"].get("initializer"))
    experiment = Experiment.from_dict(run["experiment"])
    for name in ("test_accuracy", "test_r2"):
        if name in run and run[name] is None:
            run[name] = math.nan
    return Run(**run | {"experiment": experiment}, **columns)


def read_facts(path: Path) -> Any:
    """Return the columns of facts of a file as a table of Arrow with one row; see `read`."""
    with _opened(path) as file:
        _facts(file, path)
        names = [name for name in file.schema_arrow.names if name not in TABLES]
        return file.read(columns=names)


def _opened(path: Path) -> Any:
    """Open the file of a run; ValueError for a pipe, on which to wait would take for ever."""
    if not path.is_file():
        raise ValueError("it is no file")
    return pq.ParquetFile(path, page_checksum_verification=True)


class LayoutError(DataError):
    """A file of a store is of a later version than this package reads."""


def _facts(file: Any, path: Path) -> dict[str, Any]:
    """Return what the metadata of an open file say of a run, checked.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile
    path : pathlib.Path
        Its path, for errors.
    """
    metadata = file.metadata.metadata or {}
    text = metadata[_KEY]
    if hashlib.sha256(text).hexdigest().encode() != metadata[_DIGEST]:
        raise ValueError("the checksum of its metadata is wrong")
    described = json.loads(text)
    if described["layout"] > LAYOUT:
        raise LayoutError(
            f"{path}: of layout {described['layout']}, and this initperf reads 1 to {LAYOUT}"
        )
    run: dict[str, Any] = described["run"]
    schema = run["experiment"]["schema"]
    if schema > SCHEMA:
        raise LayoutError(
            f"{path}: its experiment is of schema {schema}, and this initperf reads 1 to {SCHEMA}"
        )
    # files of earlier versions have no digest of the names of their columns
    if described.get("columns") not in (None, _names(file.schema_arrow)):
        raise ValueError("its columns have other names than were written")
    if run["name"] != path.stem:
        raise ValueError(f"it is run {run['name']}")
    return run


def facts_schema() -> dict[str, Any]:
    """Return the types of Arrow of the columns of facts, by name."""
    kinds = {
        name: _KINDS[one.kind] if one.length == 1 else pa.string()
        for name, one in settings().items()
    }
    shape = {"depth": pa.int64(), "width": pa.int64()}
    data = {"dataset_size": pa.int64(), "dataset_digest": pa.string()}
    return {"run": pa.string(), **kinds, **shape, **data, **_RESULTS}


def completed(table: Any) -> Any:
    """Return a table of facts with the loss of files that were written before there were several.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of `read_facts` and `as_table`.
    """
    loss = settings()["loss"].default
    if "loss" in table.column_names:
        at = table.column_names.index("loss")
        return table.set_column(at, "loss", table.column(at).fill_null(loss))
    return table.append_column("loss", pa.array([loss] * len(table), pa.string()))


def facts_of(run: Run) -> dict[str, Any]:
    """Return the values of the columns of facts; None for settings that the run does not have.

    ``width`` is None where the hidden layers differ in width.
    """
    experiment, declared = run.experiment, settings()
    flat = experiment.flat()
    widths = set(experiment.hidden)
    return {
        "run": run.name,
        **{name: one.text(flat[name]) if name in flat else None for name, one in declared.items()},
        "depth": len(experiment.hidden),
        "width": widths.pop() if len(widths) == 1 else None,
        "dataset_size": run.dataset["dataset_size"],
        "dataset_digest": run.dataset["dataset_digest"],
        **{name: getattr(run, name) for name in _RESULTS},
        **{name: _number(getattr(run, name)) for name in ("test_accuracy", "test_r2")},
    }
