"""Trials at hand: those of the package, those measured on this machine, and tables given."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from initperf._core.storage import cache_directory
from initperf.errors import DataError
from initperf.report.trainability.evidence import Evidence, Trial, merged, trials_of
from initperf.report.trainability.trial_files import read, shipped, write
from initperf.training.store import RunStore

MADE_BY = "shipped table made by"
"""Fact of the origin that names the commands of the shipped table."""

TABLE = "trials.csv"
"""Name of the table of what was measured, in its directory."""

_MEASURED_BY = "initperf recommend --measure"


@dataclass(frozen=True)
class Measured:
    """Directory of trials that were measured for questions: the runs, and a table of them all.

    Attributes
    ----------
    directory : pathlib.Path
        Made when trials are added.
    """

    directory: Path

    @classmethod
    def at(cls, directory: str | None) -> "Measured":
        """Return the directory of a name, by default one in the cache."""
        return cls(Path(directory) if directory else cache_directory("trials"))

    @property
    def runs(self) -> Path:
        """The directory of the runs."""
        return self.directory / "runs"

    def trials(self) -> tuple[Trial, ...]:
        """Return the trials of the table, none where there is no table.

        Raises
        ------
        initperf.errors.DataError
            When the table cannot be read.
        """
        table = self.directory / TABLE
        return read(table).trials if table.is_file() else ()

    def store(self) -> RunStore:
        """Return the store of the runs, which is made where it is missing.

        Raises
        ------
        initperf.errors.UsageError
            When it cannot be made.
        """
        return RunStore(self.runs)

    def add(self, trials: Iterable[Trial]) -> None:
        """Add trials to the table, each once.

        Parameters
        ----------
        trials : iterable of Trial
        """
        every = merged(self.trials(), trials)
        write(self.directory / TABLE, Evidence(every, {"commands": _MEASURED_BY}))


def check_sources(sources: Iterable[str]) -> None:
    """Check that tables or directories exist, before anything is measured.

    Raises
    ------
    initperf.errors.DataError
        Naming the first that does not.
    """
    for source in sources:
        if not Path(source).exists():
            raise DataError(f"{source}: no such table or directory of runs")


def collected(measured: Measured, sources: Iterable[str]) -> tuple[list[Trial], dict[str, str]]:
    """Return all trials, and in words where they come from.

    Parameters
    ----------
    measured : Measured
    sources : iterable of str
        Tables of trials, or directories of runs.

    Raises
    ------
    initperf.errors.DataError
        For a source that does not exist, a table that cannot be read, and a directory without such
        runs.
    """
    package = shipped()
    trials = list(package.trials)
    told = package.origin
    origin = {
        "shipped table": f"made {told.get('made', 'never')}, {told.get('covers', 'nothing')}",
        MADE_BY: told.get("commands", "nothing"),
    }
    if own := measured.trials():
        trials += own
        origin["measured here"] = f"{len(own)} runs in {measured.directory}"
    for source in sources:
        found = trials_from(source)
        trials += found
        origin[source] = f"{len(found)} runs"
    return trials, origin


def trials_from(source: str) -> list[Trial]:
    """Return the trials of a table or of a directory of runs.

    Parameters
    ----------
    source : str
        Path of either.

    Raises
    ------
    initperf.errors.DataError
        When there is neither, the table cannot be read, or there is no trial in it.
    """
    check_sources([source])
    path = Path(source)
    if path.is_dir():
        store = RunStore(path)
        found = list(trials_of(store.load(name) for name in store))
    else:
        found = list(read(path).trials)
    if not found:
        inner = path / "runs"  # as verbs that write pages keep them
        hint = f"; did you mean {inner}?" if inner.is_dir() else ""
        raise DataError(f"{source} holds no runs that advice can rest on{hint}")
    return found
