"""Directory of finished runs, one Parquet file each, written once and atomically.

``NAME.parquet`` is a run, complete when it is there; `initperf.training._run_file` says what is in
it. ``_index.arrow`` repeats the facts of all runs, for listing, and ``_damaged`` takes files that
cannot be read. Runs of the first layout, a directory of five files each, are read too.
"""

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf.errors import DataError, UsageError
from initperf.training._files import remove_leftovers, written_whole
from initperf.training.run import Run

if TYPE_CHECKING:
    import pandas

_NAME = re.compile(r"[0-9a-f]{16}")
_SUFFIX = ".parquet"
_ASIDE = "_damaged"


class DamagedRunError(DataError):
    """The file of a run cannot be read, or is that of another run."""


class RunStore:
    """Directory of runs: iteration gives their names.

    Parameters
    ----------
    directory : path
        Made where it does not exist.

    Raises
    ------
    initperf.errors.UsageError
        When it is not a directory, and cannot be made one.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{self.directory} cannot be a directory of runs: {error.strerror or error}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return self._path(str(name)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._files()))

    def __len__(self) -> int:
        return len(self._files())

    def _path(self, name: str) -> Path | None:
        """Return the file of a run, or the directory of one of the first layout."""
        if not _NAME.fullmatch(name):
            return None
        file = self.directory / f"{name}{_SUFFIX}"
        older = self.directory / name
        return next((path for path in (file, older) if os.path.lexists(path)), None)

    def _files(self) -> dict[str, Path]:
        with os.scandir(self.directory) as entries:
            names = [entry.name for entry in entries]
        found: dict[str, Path] = {}
        for name in sorted(names, key=lambda one: one.endswith(_SUFFIX)):
            if _NAME.fullmatch(name.removesuffix(_SUFFIX)):
                found[name.removesuffix(_SUFFIX)] = self.directory / name
        return found

    def save(self, run: Run) -> Path:
        """Write a run, unless one of its name is stored already.

        Parameters
        ----------
        run : Run

        Returns
        -------
        pathlib.Path
            The run's file.

        Raises
        ------
        initperf.errors.UsageError
            When it cannot be written, as on a full disk; nothing is left then.
        """
        from initperf.training import _run_file

        there = self._path(run.name)
        if there is not None:
            return there
        target = self.directory / f"{run.name}{_SUFFIX}"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)  # may be gone since it was empty
            with written_whole(target) as temporary:
                _run_file.write(temporary, run)
        except OSError as error:
            raise UsageError(
                f"run {run.name} cannot be written to {self.directory}: {error.strerror or error}"
            ) from None
        return target

    def load(self, name: str) -> Run:
        """Read a run, also one of an earlier layout or schema.

        Parameters
        ----------
        name : str
            Name of the run.

        Raises
        ------
        DamagedRunError
            When it cannot be read; says why.
        initperf.errors.DataError
            When there is none, or it is of a later layout.
        """
        from initperf.training import _older_runs, _run_file

        path = self._path(name)
        if path is None:
            raise DataError(f"no readable run {name!r} in {self.directory}: there is none")
        try:
            return _run_file.read(path) if path.suffix else _older_runs.read(path)
        except _run_file.UNREADABLE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DamagedRunError(
                f"no readable run {name!r} in {self.directory}: {reason}"
            ) from None

    def set_aside(self, name: str) -> Path:
        """Move the file of a run into the directory of damaged ones; return where it is now.

        Raises
        ------
        initperf.errors.UsageError
            When it cannot be moved.
        """
        path = self._path(name)
        aside = self.directory / _ASIDE
        target = aside / f"{name}-{secrets.token_hex(4)}{path.suffix if path else ''}"
        try:
            aside.mkdir(exist_ok=True)
            if path is not None:
                os.replace(path, target)
        except OSError as error:
            raise UsageError(
                f"damaged run {name} in {self.directory} cannot be set aside: {error.strerror}"
            ) from None
        return target

    def remove(self, name: str) -> None:
        """Remove a run.

        Raises
        ------
        initperf.errors.DataError
            When there is none.
        initperf.errors.UsageError
            When it cannot be removed.
        """
        path = self._path(name)
        if path is None:
            raise DataError(f"no run {name!r} in {self.directory}")
        try:
            if path.is_dir() and not path.is_symlink():
                for file in path.iterdir():
                    file.unlink()
                path.rmdir()
            else:
                path.unlink()
        except OSError as error:
            raise UsageError(f"run {name} cannot be removed: {error.strerror or error}") from None

    def merge(self, other: "RunStore") -> tuple[int, dict[str, str]]:
        """Copy the runs of another store that this one does not have.

        Parameters
        ----------
        other : RunStore
            Not changed.

        Returns
        -------
        tuple
            The number of runs that were copied, and for each unreadable one the reason.

        Raises
        ------
        initperf.errors.UsageError
            When a run cannot be written.
        """
        copied, damaged = 0, {}
        for name in other:
            if name not in self:
                try:
                    run = other.load(name)
                except DataError as error:
                    damaged[name] = str(error)
                    continue
                self.save(run)
                copied += 1
        return copied, damaged

    def remove_leftovers(self) -> int:
        """Remove temporary files of processes that were killed; return how many."""
        return remove_leftovers(self.directory)

    def facts(self) -> "tuple[pandas.DataFrame, dict[str, str]]":
        """Return a row of facts for each run, and for each unreadable one the reason.

        Returns
        -------
        tuple
            As of `index`, with a pandas table.
        """
        table, damaged = self.index()
        return table.to_pandas(), damaged

    def index(self) -> "tuple[Any, dict[str, str]]":
        """Return the facts of all runs as a table of Arrow, and write the index where it is old.

        Returns
        -------
        tuple
            Table sorted by ``run``, with the settings of the experiments, nullable, and how the
            runs ended, and a dictionary of reasons by name.
        """
        import pyarrow as pa

        from initperf.training import _index, _run_file

        def read(name: str) -> object:
            path = self._path(name)
            if path is None:
                raise OSError("it is gone")
            if path.suffix:
                return _run_file.read_facts(path)
            return _run_file.as_table(self.load(name))

        table, damaged = _index.facts(self.directory, self._files(), read)
        if not len(table):
            schema = pa.schema(list(_run_file.facts_schema().items()))
            return schema.empty_table(), damaged
        return _run_file.completed(table), damaged
