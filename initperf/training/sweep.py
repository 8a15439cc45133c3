"""Training of many experiments side by side, each on one thread."""

from collections.abc import Iterable

from initperf import data
from initperf._core.parallel import default_threads, side_by_side
from initperf._core.progress import Progress, silent
from initperf.jit.blas import blas_threads
from initperf.training._precompile import compiling
from initperf.training.experiment import Experiment
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.train import run_name, train, warm_up


def sweep(
    experiments: Iterable[Experiment],
    *,
    workers: int | None = None,
    store: RunStore | None = None,
    datasets: dict[str, data.Dataset] | None = None,
    progress: Progress = silent,
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
    workers : int, optional
        Runs at a time; as many as processors, by default.
    store : RunStore, optional
        Runs that are in it are read instead of trained, the others written when they end.
    datasets : dict, optional
        Data sets by name; loaded as needed otherwise.
    progress : callable
        Called in this thread as each run ends, with its initializer and activation.

    Returns
    -------
    list of Run
        In the order of the experiments.

    Raises
    ------
    initperf.errors.DataError
        When a data set cannot be loaded, before anything is trained.
    """
    wanted = list(experiments)
    sets = {} if datasets is None else dict(datasets)
    for experiment in wanted:
        if experiment.dataset not in sets:
            sets[experiment.dataset] = data.load(experiment.dataset)
    runs: dict[Experiment, Run] = {}
    different = len(set(wanted))

    def ended(run: Run) -> None:
        runs[run.experiment] = run
        progress(len(runs), different, f"{run.experiment.initializer}, {run.experiment.activation}")

    waiting = []
    for experiment in dict.fromkeys(wanted):
        name = run_name(experiment, sets[experiment.dataset].digest)
        if store is not None and name in store:
            ended(store.load(name))
        else:
            waiting.append(experiment)
    with compiling(waiting, joining=True) as finish:
        finish()
    for one in waiting[:1]:
        warm_up(one)  # loads here what all need, rather than in several threads at one time

    def run_one(experiment: Experiment) -> Run:
        run = train(experiment, dataset=sets[experiment.dataset], threads=None)
        if store is not None:
            store.save(run)
        return run

    with blas_threads(1):
        for run in side_by_side(run_one, waiting, workers or default_threads()):
            ended(run)
    return [runs[experiment] for experiment in wanted]
