"""Training of many experiments side by side, each on one thread."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from initperf import data
from initperf._core.arguments import choice, number, whole
from initperf._core.parallel import default_threads
from initperf._core.progress import Progress, silent
from initperf.jit.blas import blas_threads
from initperf.training import _process
from initperf.training._data import Arrays, check_targets, load_all
from initperf.training._files import remove_leftovers, temporary_prefix
from initperf.training._pace import Pace
from initperf.training._precompile import compiling
from initperf.training._warm_up import warm_up
from initperf.training._workers import Stop, in_processes, on_threads
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import DamagedRunError, RunStore
from initperf.training.train import run_name, train_on

BACKENDS = ("threads", "processes")


@dataclass(frozen=True)
class Workers:
    """How runs are trained side by side.

    Attributes
    ----------
    count : int, optional
        Runs at a time; as many as processors, by default.
    backend : str
        ``"threads"``, or ``"processes"`` of joblib: the same bits. Threads start at once and share
        the data and the compiled code; they wait for each other only between epochs, where the
        interpreter lock is held.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``, whose workers train instead; the
        package's extra ``dask`` brings what it takes.
    time_budget : float, optional
        Seconds after which the sweep ends; runs under way are given up then.
    """

    count: int | None = None
    backend: str = "threads"
    scheduler: str | None = None
    time_budget: float | None = None

    def __post_init__(self) -> None:
        if self.count is not None:
            object.__setattr__(self, "count", whole("workers", self.count, 1))
        choice("backend", self.backend, BACKENDS)
        if self.time_budget is not None:
            budget = number("time_budget", self.time_budget, positive=True)
            object.__setattr__(self, "time_budget", budget)

    @property
    def at_a_time(self) -> int:
        """Runs at a time: `count`, or as many as processors."""
        return self.count or default_threads()

    def remaining(self, begin: float) -> "Workers | None":
        """Return the workers with what is left of their time budget, or None where it has ended.

        Parameters
        ----------
        begin : float
            When the budget began, in seconds of `time.monotonic`.
        """
        if self.time_budget is None:
            return self
        left = self.time_budget - (time.monotonic() - begin)
        return replace(self, time_budget=left) if left > 0.0 else None


@dataclass
class _Sweep:
    """Experiments of a sweep with their data and store."""

    experiments: list[Experiment]
    sets: dict[str, data.Dataset]
    store: RunStore | None
    notice: Callable[[str], object]
    waiting: list[Experiment] = field(default_factory=list)
    _arrays: dict[tuple[str, str], Arrays] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrays(self, experiment: Experiment) -> Arrays:
        """Return what an experiment is trained on, the same arrays for all of its dtype."""
        key = experiment.dataset, experiment.dtype
        with self._lock:
            if key not in self._arrays:
                self._arrays[key] = Arrays.of(self.sets[experiment.dataset], experiment.dtype)
            return self._arrays[key]

    def name(self, experiment: Experiment) -> str:
        return run_name(experiment, self.sets[experiment.dataset].digest)

    def stored(self) -> Iterator[Run]:
        """Give the runs that are stored, and note those that are not; damaged ones go aside."""
        for experiment in dict.fromkeys(self.experiments):
            run = self.load(experiment)
            if run is None:
                self.waiting.append(experiment)
            else:
                yield run

    def load(self, experiment: Experiment) -> Run | None:
        """Return the run of an experiment from the store, or None where it must be trained."""
        name = self.name(experiment)
        if self.store is None or name not in self.store:
            return None
        try:
            return self.store.load(name)
        except DamagedRunError as error:
            aside = self.store.set_aside(name)
            self.notice(f"{error}; it is set aside as {aside} and trained again")
            return None


def sweep(
    experiments: Iterable[Experiment],
    *,
    workers: int | Workers | None = None,
    store: RunStore | None = None,
    datasets: dict[str, data.Dataset] | None = None,
    progress: Progress = silent,
    notice: Callable[[str], object] = lambda text: None,
    beside: Iterable[Callable[[], object]] = (),
) -> list[Run]:
    """Train experiments side by side.

    Each runs on one thread: the kernels release the interpreter lock, and the BLAS libraries of
    NumPy and SciPy are limited to one thread each, as two runs on a thread each take less time
    than two runs in turn on two threads. Training loops of different dtypes are compiled side by
    side before.

    Parameters
    ----------
    experiments : iterable of Experiment
        Equal ones are trained once.
    workers : int or Workers, optional
        Runs at a time, or all that `Workers` says; as many as processors, by default.
    store : RunStore, optional
        Runs that are in it are read instead of trained, the others written when they end. Files
        that are damaged are set aside, and temporary ones of killed processes removed.
    datasets : dict, optional
        Data sets by name; loaded as needed otherwise.
    progress : callable
        Called in this thread as each run ends, with its initializer and activation, the rate and
        the time left.
    notice : callable
        Called with a line for each file that was set aside.
    beside : iterable of callable
        Other calls, which threads make between runs, and after the last. What is left when the
        sweep ends, as without a run to be trained or with another backend, was not made.

    Returns
    -------
    list of Run
        In the order of the experiments; with a time budget those that were done.

    Raises
    ------
    initperf.errors.DataError
        When a data set cannot be loaded, before anything is trained.
    initperf.errors.UsageError
        When a loss is not of the targets of its data set, before anything is trained, and when a
        run cannot be written.
    """
    chosen = workers if isinstance(workers, Workers) else Workers(workers)
    wanted = list(experiments)
    sets = {} if datasets is None else dict(datasets)
    sets |= load_all(one for one in wanted if one.dataset not in sets)
    for experiment in wanted:
        check_targets(experiment, sets[experiment.dataset])
    if store is not None:
        store.remove_leftovers()
    planned = _Sweep(wanted, sets, store, notice)
    stop = Stop(chosen.time_budget)
    runs: dict[Experiment, Run] = {}
    different = len(set(wanted))
    for run in planned.stored():
        runs[run.experiment] = run
        label = f"{run.experiment.initializer}, {run.experiment.activation}; kept before"
        progress(len(runs), different, label)
    if planned.waiting:
        if chosen.scheduler is None:  # whose workers compile what they need, once each
            with compiling(planned.waiting, joining=True) as finish:
                finish()
        pace = Pace(len(planned.waiting))
        for run in _trained(planned, chosen, stop, beside):
            runs[run.experiment] = run
            progress(len(runs), different, pace.label(run.experiment))
        if store is not None:
            store.index()  # so that listing many runs need not open each file
    return [runs[experiment] for experiment in wanted if experiment in runs]


def to_train(
    experiments: Iterable[Experiment], store: RunStore | None, datasets: Mapping[str, data.Dataset]
) -> list[Experiment]:
    """Return the experiments that a sweep would train: those whose run is not stored.

    Parameters
    ----------
    experiments : iterable of Experiment
    store : RunStore or None
    datasets : mapping of str to Dataset
        Data sets by name.
    """
    return [
        one
        for one in experiments
        if store is None or run_name(one, datasets[one.dataset].digest) not in store
    ]


def _trained(
    planned: _Sweep, chosen: Workers, stop: Stop, beside: Iterable[Callable[[], object]]
) -> Iterator[Run]:
    workers = min(chosen.at_a_time, len(planned.waiting))
    if chosen.scheduler is not None:
        return _on_cluster(planned, chosen.scheduler, stop)
    if chosen.backend == "processes":
        return _in_processes(planned, workers, stop)
    return _on_threads(planned, workers, stop, beside)


def _on_cluster(planned: _Sweep, scheduler: str, stop: Stop) -> Iterator[Run]:
    from initperf.training._cluster import connected, trained

    calls = [(one.to_json(), planned.name(one), one.dataset) for one in planned.waiting]
    with connected(scheduler) as client:
        for run in trained(client, calls, planned.sets, stop):
            if planned.store is not None:
                planned.store.save(run)
            yield run


def _on_threads(
    planned: _Sweep, workers: int, stop: Stop, beside: Iterable[Callable[[], object]]
) -> Iterator[Run]:
    warm_up(planned.waiting[0])  # loads here what all need, rather than in several threads at once

    def run_one(experiment: Experiment | Callable[[], object]) -> Run | None:
        if not isinstance(experiment, Experiment):
            experiment()
            return None
        kept = planned.load(experiment)  # by another sweep meanwhile
        if kept is not None:
            return kept
        run = train_on(
            planned.sets[experiment.dataset],
            partial(planned.arrays, experiment),
            experiment,
            threads=None,
            pause=stop.look,
        )
        if planned.store is not None:
            planned.store.save(run)
        return run

    with blas_threads(1):
        for run in on_threads(run_one, _in_turn(planned.waiting, beside), workers, stop):
            if run is not None:
                yield run


def _in_turn(
    experiments: Iterable[Experiment], calls: Iterable[Callable[[], object]]
) -> Iterator[Experiment | Callable[[], object]]:
    """Give experiments and calls in turn, and what is left of either."""
    others = iter(calls)
    for experiment in experiments:
        yield experiment
        yield from islice(others, 1)
    yield from others


def _in_processes(planned: _Sweep, workers: int, stop: Stop) -> Iterator[Run]:
    directory = None if planned.store is None else planned.store.directory
    deadline = stop.deadline  # of calls that begin later, too
    remove_leftovers(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=temporary_prefix()) as shared:
        for name, dataset in planned.sets.items():
            _process.put(Path(shared), name, dataset)
        calls = (
            (one.to_json(), planned.name(one), (shared, one.dataset), directory, deadline)
            for one in planned.waiting
        )
        for run in in_processes(_process.train_one, calls, workers):
            if run is not None:
                yield run
