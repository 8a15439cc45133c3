"""``initperf sweep``: training of a grid of networks, side by side."""

import argparse
import functools
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from initperf.cli._arguments import add_json
from initperf.cli._kept_runs import kept_runs
from initperf.cli._notices import notice
from initperf.cli._outcomes import outcomes
from initperf.cli._output import progress, show, usage
from initperf.cli._settings import add_training, axes, check_used
from initperf.cli._workers import add_dry_run, add_workers, stored
from initperf.cli._workers import workers as workers_of

if TYPE_CHECKING:
    from initperf.data import Dataset
    from initperf.training.experiment import Experiment
    from initperf.training.store import RunStore
    from initperf.training.sweep import Workers

HELP = "train a grid of networks side by side; runs kept in --out are not trained again"

_tell = functools.partial(notice, "sweep")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "grid",
        nargs="?",
        metavar="GRID.toml",
        help="file of settings, each with a value or a list of values; options override it",
    )
    add_training(parser, many=True)
    add_workers(parser)
    add_dry_run(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train the grid and print a row a run, or what it would take."""
    from initperf.training._data import load_all
    from initperf.training.grids import read, suitable
    from initperf.training.sweep import sweep

    given = (read(arguments.grid) if arguments.grid else {}) | axes(arguments)
    workers = workers_of(arguments)
    with usage():
        chosen, left_out = suitable(**given)
    check_used(arguments, given, chosen)
    for reason in left_out:
        _tell(f"left out: {reason}")
    datasets = load_all(chosen, arguments.data_dir)
    if arguments.dry_run:
        store = stored(Path(arguments.out)) if arguments.out else None
        show([_plan(chosen, datasets, store, workers)], arguments.json)
        return
    keeping = kept_runs(arguments.out) if arguments.out else nullcontext()
    with keeping as store, progress("training") as tell:
        runs = sweep(
            chosen, workers=workers, store=store, datasets=datasets, progress=tell, notice=_tell
        )
    if len(runs) < len(chosen):
        _tell(f"the time budget ended with {len(runs)} of {len(chosen)} runs")
    show(outcomes(runs, short=not arguments.json), arguments.json)


def _plan(
    chosen: "list[Experiment]",
    datasets: "dict[str, Dataset]",
    store: "RunStore | None",
    workers: "Workers",
) -> dict[str, object]:
    """Return the row of a dry run."""
    from initperf.training._estimate import sweep_seconds
    from initperf.training._pace import duration
    from initperf.training.sweep import to_train

    waiting = to_train(chosen, store, datasets)
    count = workers.at_a_time
    seconds = sweep_seconds(waiting, datasets, min(count, len(waiting))) if waiting else 0.0
    return {
        "runs": len(chosen),
        "kept": len(chosen) - len(waiting),
        "to_train": len(waiting),
        "workers": count,
        "estimated_s": seconds,
        "estimated": duration(seconds),
    }
