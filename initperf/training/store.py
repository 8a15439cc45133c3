"""Directory of finished runs, each written once and atomically.

A run is a directory named after it, with ``run.json`` and its four tables as Parquet. It is
written under another name, flushed to the disk and renamed, so that a run found under its name is
complete.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from initperf._core.storage import replacing_directory
from initperf.errors import DataError
from initperf.training.experiment import Experiment
from initperf.training.run import Run

_TABLES = ("steps", "layers", "epochs", "histograms")


class RunStore:
    """Directory of runs: iteration gives their names.

    Parameters
    ----------
    directory : path
        Made where it does not exist.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)

    def __contains__(self, name: object) -> bool:
        return (self.directory / str(name) / "run.json").is_file()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.parent.name for path in self.directory.glob("*/run.json")))

    def save(self, run: Run) -> Path:
        """Write a run, unless one of its name is stored already.

        Parameters
        ----------
        run : Run

        Returns
        -------
        pathlib.Path
            The run's directory.
        """
        target = self.directory / run.name
        if run.name in self:
            return target
        with replacing_directory(target, replace=False) as fresh:
            for table in _TABLES:
                getattr(run, table).to_parquet(fresh / f"{table}.parquet", index=False)
            facts = {f.name: getattr(run, f.name) for f in dataclasses.fields(run) if f.repr}
            facts["experiment"] = run.experiment.to_dict()
            (fresh / "run.json").write_text(json.dumps(facts, indent=2, sort_keys=True))
        return target

    def load(self, name: str) -> Run:
        """Read a run, also one whose experiment is stored in the flat form of schema 1.

        Parameters
        ----------
        name : str
            Name of the run.

        Raises
        ------
        initperf.errors.DataError
            When there is none, or it cannot be read; says why.
        """
        import pandas

        directory = self.directory / name
        try:
            facts: dict[str, Any] = json.loads((directory / "run.json").read_text())
            columns: dict[str, Any] = {
                f"{table.removesuffix('s')}_columns": {
                    column: values.to_numpy()
                    for column, values in pandas.read_parquet(
                        directory / f"{table}.parquet"
                    ).items()
                }
                for table in _TABLES
            }
            return Run(
                **facts | {"experiment": Experiment.from_dict(facts["experiment"])}, **columns
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"no readable run {name!r} in {self.directory}: {error}") from None
