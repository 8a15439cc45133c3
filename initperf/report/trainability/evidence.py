"""Trials that advice rests on, one a run, and their origin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from initperf.errors import UnsuitableError
from initperf.training.experiment import Experiment
from initperf.training.run import Run


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
    origin: Mapping[str, str] = field(default_factory=dict)


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
    try:
        plain = Experiment(one.initializer, one.activation, hidden=one.hidden, **said)
    except UnsuitableError:  # a scheme for residual blocks, say
        return None
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


def merged(*tables: Iterable[Trial]) -> tuple[Trial, ...]:
    """Return the trials of several tables, each once; of equal runs of other names the last."""
    found = {replace(one, run=""): one for table in tables for one in table}
    return tuple(found.values())


def covered(trials: Iterable[Trial]) -> str:
    """Return in words what trials cover, with the setups that each optimizer has."""
    found: dict[tuple[str, int, int, str], list[Trial]] = {}
    for one in trials:
        key = (one.optimizer, one.epochs, one.batch_size, one.dataset)
        found.setdefault(key, []).append(one)
    words = []
    for (optimizer, epochs, batch, dataset), own in sorted(found.items()):
        varied: dict[str, set[Any]] = {
            "initializers": {one.initializer for one in own},
            "activations": {one.activation for one in own},
            "depths": {one.depth for one in own},
            "widths": {one.width for one in own},
            "learning rates": {one.learning_rate for one in own},
        }
        shown = ", ".join(f"{name} {_listed(values)}" for name, values in varied.items())
        passes = f"{epochs} epochs of {dataset}, batch {batch}"
        words.append(f"{len(own)} runs with {optimizer}, {passes}: {shown}")
    return "; ".join(words)


def _listed(values: set[Any]) -> str:
    return " ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in sorted(values))
