"""``initperf report``: all measurements, as one page."""

import argparse
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

from initperf.cli._arguments import OF_ACTIVATIONS, OF_DATASETS, OF_INITIALIZERS, add_data, named
from initperf.cli._output import progress, usage
from initperf.errors import UsageError

HELP = "measure everything and write one page with figures and tables"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--out", default="report", metavar="DIR", help="directory of the report, by default report"
    )
    parser.add_argument("--quick", action="store_true", help="the same page from less training")
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="runs of each initializer and activation"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the data of each run")
    dataset = parser.add_argument(
        "--dataset", default="mnist", metavar="NAME", help="see initperf data"
    )
    named(dataset, OF_DATASETS)
    initializers = parser.add_argument(
        "--initializers",
        metavar="A,B",
        help="by default one name of each rule that suits a perceptron",
    )
    named(initializers, OF_INITIALIZERS)
    activations = parser.add_argument(
        "--activations",
        default="relu,tanh",
        metavar="A,B",
        help="activations to train with each initializer",
    )
    named(activations, OF_ACTIVATIONS)
    parser.add_argument("--backend", default="numba", metavar="B", help="numba or numpy")
    parser.add_argument(
        "--benchmarks", metavar="FILE", help="take the speeds from this pytest-benchmark file"
    )
    add_data(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure, then write."""
    from initperf.report.measure import Settings, measure

    check, write = _writer()
    directory = Path(arguments.out)
    check(directory)
    with usage():
        settings = Settings(
            quick=arguments.quick,
            seeds=arguments.seeds,
            epochs=arguments.epochs,
            dataset=arguments.dataset,
            data_dir=arguments.data_dir,
            initializers=tuple(filter(None, (arguments.initializers or "").split(","))),
            activations=tuple(arguments.activations.split(",")),
            backend=arguments.backend,
            benchmarks=arguments.benchmarks,
        )
        experiments = settings.experiments()
    tables = measure(settings, experiments, progress)
    command = "initperf " + " ".join(sys.argv[1:])
    with progress("writing") as tell:
        page = write(tables, directory, commands=[command], progress=tell)
    runs = tables["runs"]
    print(f"{page}: {len(runs)} runs, {int((runs.status == 'diverged').sum())} of them diverged")


def _writer() -> tuple[Any, Any]:
    found = {
        entry.name: entry for entry in importlib.metadata.entry_points(group="initperf.report")
    }
    if not {"check", "write"} <= set(found):
        raise UsageError("the report generator is not installed; install initperf[suite] again")
    return found["check"].load(), found["write"].load()
