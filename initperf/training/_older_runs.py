"""Runs of the first layout: a directory with ``run.json`` and four tables as Parquet."""

import json
from pathlib import Path
from typing import Any

from initperf.training._spelling import check_imported
from initperf.training.experiment import Experiment
from initperf.training.run import Run

_TABLES = ("steps", "layers", "epochs", "histograms")


def read(directory: Path) -> Run:
    """Read a run of the first layout; raise one of `_run_file.UNREADABLE` where it is damaged."""
    import pandas

    facts: dict[str, Any] = json.loads((directory / "run.json").read_text())
    if facts["name"] != directory.name:
        raise ValueError(f"it is run {facts['name']}")
    columns: dict[str, Any] = {
        f"{table.removesuffix('s')}_columns": {
            column: values.to_numpy()
            for column, values in pandas.read_parquet(directory / f"{table}.parquet").items()
        }
        for table in _TABLES
    }
    check_imported(facts["experiment"].get("initializer"))
    return Run(**facts | {"experiment": Experiment.from_dict(facts["experiment"])}, **columns)
