"""``initperf report``: all measurements, as one page."""

import argparse
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

from initperf.cli._arguments import add_data, add_settings, check_used, given_settings
from initperf.cli._output import progress, usage
from initperf.errors import UsageError

HELP = "measure everything and write one page with figures and tables"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--out", default="report", metavar="DIR", help="directory of the report, by default report"
    )
    parser.add_argument("--title", metavar="WORDS", help="heading of the page")
    parser.add_argument("--quick", action="store_true", help="the same page from less training")
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="runs of each initializer in each setup"
    )
    parser.add_argument(
        "--benchmarks", metavar="FILE", help="take the speeds from this pytest-benchmark file"
    )
    parser.add_argument(
        "--resume",
        metavar="DIR",
        help="keep each run in this directory, and train none again that it holds",
    )
    add_data(parser)
    settings = parser.add_argument_group(
        "settings of the runs",
        "Several values, separated by commas, make a grid; each setup has its own answer. By "
        "default the initializers are one name of each rule that suits a perceptron, and the "
        "activations relu,tanh. Several learning rates are a search: each rule is shown at its "
        "best.",
    )
    add_settings(
        settings,
        many=False,
        plurals=("initializer", "activation", "learning_rate"),
        without=("seed",),
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, then write."""
    from initperf.report.measure import measure
    from initperf.report.plan import Settings, plan
    from initperf.training.store import RunStore

    check, write = _writer()
    directory = Path(arguments.out)
    check(directory)
    given = given_settings(arguments)
    rates = tuple(dict.fromkeys(given.pop("learning_rate", ())))
    if len(rates) == 1:
        given["learning_rate"], rates = list(rates), ()
    with usage():
        settings = Settings(
            quick=arguments.quick,
            seeds=arguments.seeds,
            rates=rates,
            data_dir=arguments.data_dir,
            benchmarks=arguments.benchmarks,
            given=given,
        )
        planned = plan(settings)
    check_used(given, planned.experiments)
    store = RunStore(arguments.resume) if arguments.resume else None
    tables = measure(settings, planned, progress, store)
    _write(arguments, write, tables, directory)


def _write(arguments: argparse.Namespace, write: Any, tables: Any, directory: Path) -> None:
    """Write the report and print where it is."""
    command = "initperf " + " ".join(sys.argv[1:])
    title = {"title": arguments.title} if arguments.title else {}
    with progress("writing") as tell:
        page = write(tables, directory, commands=[command], progress=tell, **title)
    runs = tables["runs"]
    print(f"{page}: {len(runs)} runs, {int((runs.status == 'diverged').sum())} of them diverged")


def _writer() -> tuple[Any, Any]:
    found = {
        entry.name: entry for entry in importlib.metadata.entry_points(group="initperf.report")
    }
    if not {"check", "write"} <= set(found):
        raise UsageError("the report generator is not installed; install initperf[suite] again")
    return found["check"].load(), found["write"].load()
