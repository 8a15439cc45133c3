"""Trials that advice rests on: one row a run, from stores and from a CSV file with its origin.

A file begins with lines ``# name: value`` that say when, by which commands and on what it was made.
"""

import csv
import dataclasses
import importlib.resources
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initperf._core.storage import replacing
from initperf.errors import DataError, UsageError
from initperf.training.experiment import Experiment
from initperf.training.run import Run

SHIPPED = "evidence.csv"
"""Name of the table that is part of the package, made by ``initperf depths --export``."""


@dataclass(frozen=True)
class Trial:
    """One run, with what tells it from others.

    Attributes
    ----------
    run : str
        Its name, by which it can be trained again and compared.
    initializer, activation : str
    depth, width : int
        Hidden layers, and units of each.
    optimizer : str
    learning_rate : float
    seed : int
    epochs, batch_size : int
    dataset, dataset_digest : str
    status : str
        ``"finished"`` or ``"diverged"``.
    test_accuracy : float
        After the last whole epoch.
    """

    run: str
    initializer: str
    activation: str
    depth: int
    width: int
    optimizer: str
    learning_rate: float
    seed: int
    epochs: int
    batch_size: int
    dataset: str
    dataset_digest: str
    status: str
    test_accuracy: float

    @property
    def score(self) -> float:
        """The test accuracy, 0 where the run diverged."""
        return 0.0 if self.status == "diverged" else self.test_accuracy


_KINDS = {field.name: field.type for field in dataclasses.fields(Trial)}


@dataclass(frozen=True)
class Evidence:
    """Trials and where they come from.

    Attributes
    ----------
    trials : tuple of Trial
    origin : dict of str to str
        Facts: ``made`` (date), ``commands``, ``data``, ``machine`` and ``covers`` among them.
    """

    trials: tuple[Trial, ...]
    origin: Mapping[str, str] = dataclasses.field(default_factory=dict)


def as_trial(run: Run) -> Trial | None:
    """Return a run as a trial, or None where its settings are others than a trial can say.

    Parameters
    ----------
    run : Run
        A trial has hidden layers of one width, and all settings besides its own at their defaults.
    """
    one = run.experiment
    if len(set(one.hidden)) != 1:
        return None
    said = {
        name: one.flat()[name]
        for name in ("optimizer", "learning_rate", "epochs", "batch_size", "dataset", "seed")
    }
    plain = Experiment(one.initializer, one.activation, hidden=one.hidden, **said)
    if plain != one.replace(recording=plain.recording, backend=plain.backend):
        return None
    return Trial(
        run=run.name,
        initializer=one.initializer,
        activation=one.activation,
        depth=len(one.hidden),
        width=one.hidden[0],
        **said,
        dataset_digest=str(run.dataset["dataset_digest"]),
        status=run.status,
        test_accuracy=float(run.test_accuracy),
    )


def trials_of(runs: Iterable[Run]) -> tuple[Trial, ...]:
    """Return the runs that can be trials, see `as_trial`."""
    return tuple(found for run in runs if (found := as_trial(run)) is not None)


def covered(trials: Iterable[Trial]) -> str:
    """Return in words what trials cover, with the setups that each optimizer has."""
    found: dict[tuple[str, int, int, str], list[Trial]] = {}
    for one in trials:
        key = (one.optimizer, one.epochs, one.batch_size, one.dataset)
        found.setdefault(key, []).append(one)
    words = []
    for (optimizer, epochs, batch, dataset), own in sorted(found.items()):
        varied = {
            "initializers": {one.initializer for one in own},
            "activations": {one.activation for one in own},
            "depths": {one.depth for one in own},
            "widths": {one.width for one in own},
            "learning rates": {one.learning_rate for one in own},
        }
        shown = ", ".join(f"{name} {_listed(values)}" for name, values in varied.items())
        words.append(
            f"{len(own)} runs with {optimizer}, {epochs} epochs of {dataset}, batch {batch}: {shown}"
        )
    return "; ".join(words)


def _listed(values: set[Any]) -> str:
    return " ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in sorted(values))


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
    rows = [dataclasses.astuple(trial) for trial in evidence.trials]
    table.writerows(sorted(rows, key=lambda row: row[1:]))
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
        text = Path(path).read_text(encoding="utf-8")
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
