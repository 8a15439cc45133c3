"""``initperf report``: the whole of it, as one page."""

import argparse
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

from initperf.commands._arguments import (
    OF_ACTIVATIONS,
    OF_DATASETS,
    OF_INITIALIZERS,
    add_data,
    named,
)
from initperf.commands._output import progress, usage
from initperf.errors import UsageError

HELP = "measure everything and write one page with figures and tables"

_EPOCHS, _QUICK_EPOCHS = 5, 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--out", default="report", metavar="DIR", help="where the report goes, by default report"
    )
    parser.add_argument("--quick", action="store_true", help="the same page from less training")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each kind")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the data, a run")
    dataset = parser.add_argument(
        "--dataset", default="mnist", metavar="NAME", help="see initperf data"
    )
    named(dataset, OF_DATASETS)
    initializers = parser.add_argument(
        "--initializers", metavar="A,B", help="by default one for each rule that suits a perceptron"
    )
    named(initializers, OF_INITIALIZERS)
    activations = parser.add_argument(
        "--activations", default="relu,tanh", metavar="A,B", help="trained with each initializer"
    )
    named(activations, OF_ACTIVATIONS)
    parser.add_argument("--backend", default="numba", metavar="B", help="numba or numpy")
    parser.add_argument(
        "--benchmarks", metavar="FILE", help="take the speeds from this pytest-benchmark file"
    )
    add_data(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure, then write."""
    check, write = _writer()
    directory = Path(arguments.out)
    check(directory)
    tables = _tables(arguments)
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


def _tables(arguments: argparse.Namespace) -> dict[str, Any]:
    from initperf import data, machine, roofline, speed, survey
    from initperf.experiment import grid
    from initperf.initializers import INITIALIZERS
    from initperf.precompile import compiling
    from initperf.sweep import sweep

    epochs = arguments.epochs or (_QUICK_EPOCHS if arguments.quick else _EPOCHS)
    if arguments.seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {arguments.seeds}")
    wanted = arguments.initializers.split(",") if arguments.initializers else survey.distinct()
    with usage():
        names = sorted({INITIALIZERS.canonical(name) for name in wanted})
        experiments = list(
            grid(
                initializer=names,
                activation=arguments.activations.split(","),
                seed=list(range(arguments.seeds)),
                dataset=arguments.dataset,
                epochs=epochs,
                backend=arguments.backend,
            )
        )
    warning = None if arguments.benchmarks else machine.busy()
    with compiling(experiments) as training_is_compiled:
        dataset = data.load(arguments.dataset, arguments.data_dir)
        if warning:
            print(f"initperf: {warning}", file=sys.stderr)
        if not arguments.benchmarks:
            with progress("compiling") as tell:
                speed.compile_draws(tell)
        training_is_compiled()
    if arguments.benchmarks:
        speeds = {"speed": speed.from_benchmark_json(arguments.benchmarks)}
    else:
        with progress("timing") as tell:
            speeds = {"speed": speed.speed_table(quick=arguments.quick, progress=tell)}
        speeds |= roofline.roofline_tables()
    done = 0
    with progress("training") as tell:

        def ended(run: Any) -> None:
            nonlocal done
            done += 1
            experiment = run.experiment
            tell(done, len(experiments), f"{experiment.initializer}, {experiment.activation}")

        runs = sweep(experiments, datasets={arguments.dataset: dataset}, report=ended)
    with progress("signals") as tell:
        states = [one for one in experiments if one.seed == 0 or not arguments.quick]
        signals = survey.signals_table(states, dataset, tell)
    return {
        **survey.run_tables(runs, dataset),
        "signal": signals,
        **survey.weights_tables(names),
        "bounds": survey.bounds_table(names),
        **speeds,
        "machine": survey.machine_table(dataset, machine.describe()),
    }
