"""Many experiments side by side, each on one thread."""

from collections.abc import Iterable

from initperf import data
from initperf._core.parallel import default_threads, side_by_side
from initperf._core.progress import Progress, silent
from initperf.jit.blas import blas_threads
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

    Each runs on one thread: the kernels release the interpreter lock, and the two pools of
    threads that NumPy's and SciPy's BLAS would start are held to one thread each, which two runs
    side by side use better than one run uses two.

    Parameters
    ----------
    experiments : iterable of Experiment
        Equal ones are trained once.
    workers : int, optional
        How many at a time; as many as processors, by default.
    store : RunStore, optional
        Where runs are kept: those that are there are read, the others written when they end.
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
        When data cannot be had; nothing is trained then.
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
    for one in waiting[:1]:
        warm_up(one)  # here, so that runs side by side do not compile the same at one time

    def run_one(experiment: Experiment) -> Run:
        run = train(experiment, dataset=sets[experiment.dataset], threads=None)
        if store is not None:
            store.save(run)
        return run

    with blas_threads(1):
        for run in side_by_side(run_one, waiting, workers or default_threads()):
            ended(run)
    return [runs[experiment] for experiment in wanted]
