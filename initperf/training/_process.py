"""Training of one experiment in a worker process; data comes through files that all map."""

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from initperf.data import Dataset, OwnDataset
from initperf.data._dataset import PARTS
from initperf.errors import UsageError
from initperf.jit.blas import blas_threads
from initperf.training._workers import Stop, StoppedError
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.train import run_name, train

_ELSEWHERE = "a worker process cannot train this; use threads, or install the rule as a plug-in"


def put(directory: Path, name: str, dataset: Dataset) -> None:
    """Write a data set for the workers.

    Parameters
    ----------
    directory : pathlib.Path
        Shared with the workers.
    name : str
        The experiments' name of the data set.
    dataset : initperf.data.Dataset
    """
    place = _place(directory, name)
    place.mkdir()
    facts = {one.name: getattr(dataset, one.name) for one in dataclasses.fields(dataset)}
    for array in PARTS:
        np.save(place / f"{array}.npy", facts.pop(array), allow_pickle=False)
    (place / "facts.json").write_text(json.dumps(facts))


def _place(directory: Path, name: str) -> Path:
    return directory / hashlib.sha256(name.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=4)
def _taken(directory: str, name: str) -> Dataset:
    place = _place(Path(directory), name)
    arrays: dict[str, Any] = {
        array: np.load(place / f"{array}.npy", mmap_mode="r", allow_pickle=False) for array in PARTS
    }
    facts: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in json.loads((place / "facts.json").read_text()).items()
    }
    return (OwnDataset if "class_names" in facts else Dataset)(**arrays, **facts)


def train_one(
    text: str, name: str, shared: tuple[str, str], store: Path | None, deadline: float
) -> Run | None:
    """Train an experiment and store the run.

    Parameters
    ----------
    text, name : str
        See `train_here`.
    shared : tuple of str
        Directory of `put`, and the name of the data set.
    store : pathlib.Path, optional
        Directory of the store.
    deadline : float
        See `train_here`.

    Returns
    -------
    Run or None
        None when the time did not suffice.
    """
    runs = None if store is None else RunStore(store)
    if runs is not None and name in runs:
        return runs.load(name)
    try:
        run = train_here(text, name, _taken(*shared), deadline)
    except StoppedError:
        return None
    if runs is not None:
        runs.save(run)
    return run


def train_here(text: str, name: str, dataset: Dataset, deadline: float = float("inf")) -> Run:
    """Train an experiment that another process describes.

    Parameters
    ----------
    text : str
        The experiment's JSON.
    name : str
        Name of the run in the process that asks.
    dataset : initperf.data.Dataset
    deadline : float
        Time of ``time.time`` at which the training ends, on a machine whose clock is right.

    Raises
    ------
    StoppedError
        At the deadline.
    initperf.errors.UsageError
        When the experiment means something else here, as with a rule that only the other process
        has registered, or another version of its code.
    """
    stop = Stop.at(deadline)
    stop.look()  # before anything is compiled
    try:
        experiment = Experiment.from_json(text)
    except ValueError as error:
        raise UsageError(f"{_ELSEWHERE}: {error}") from None
    if run_name(experiment, dataset.digest) != name:
        raise UsageError(f"{_ELSEWHERE}: it defines {experiment.initializer} differently")
    with blas_threads(1):
        return train(experiment, dataset=dataset, threads=None, pause=stop.look)
