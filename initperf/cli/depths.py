"""``initperf depths``: until which depth each initializer learns, at its best learning rate."""

import argparse
import datetime
import functools
import itertools
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf import __version__
from initperf.cli._arguments import add_data, add_json, integer
from initperf.cli._kept_runs import kept_runs
from initperf.cli._notices import notice
from initperf.cli._output import explain, progress, show, usage, without_nan
from initperf.cli._output_files import output_file
from initperf.cli._pages import RUNS, add_page, check_page, write_page
from initperf.cli._settings import add_settings, axes, check_used, single_values
from initperf.cli._workers import add_dry_run, add_workers, ended_early, stored, workers
from initperf.errors import UsageError
from initperf.report.usual import STUDY, STUDY_ACTIVATIONS, STUDY_INITIALIZERS

if TYPE_CHECKING:
    from initperf.data import Dataset
    from initperf.report.trainability.evidence import Evidence, Trial
    from initperf.report.trainability.study import Study

HELP = "measure until which depth each initializer learns, each at its best learning rate"

_tell = functools.partial(notice, "depths")

_COLUMNS = (
    "depth: hidden layers at which accuracy falls below level, half-way from guessing to the best "
    "of any rule; low, high: its 95 % interval over seeds; bound: at least where a seed learns at "
    "the greatest depth, at most where one does not at the least; least, greatest: of the depths "
    "that were trained"
)

_WITHOUT = ("loss", "hidden", "seed", "residual", "record", "histogram_steps")
_SEVERAL = {
    "initializer": "initializers",
    "activation": "activations",
    "depth": "depths",
    "width": "widths",
    "optimizer": "optimizers",
    "learning_rate": "rates",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_page(parser, "depths")
    parser.add_argument(
        "--seeds",
        type=integer(1, most=1000),
        default=3,
        metavar="N",
        help="runs at the best rate; the search has one seed more",
    )
    parser.add_argument(
        "--export",
        metavar="FILE.csv",
        help="add a row a run to this table, which initperf recommend --from reads",
    )
    add_workers(parser)
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)
    settings = parser.add_argument_group(
        "settings of the runs",
        "Several initializers, activations, depths, widths, optimizers and learning rates, "
        "separated by commas, make a grid; the rates are searched in each of its cells. By default "
        "depths 2,5,10,20,40, width 100, and five rates for each optimizer.",
    )
    several = {"initializer": STUDY_INITIALIZERS, "activation": STUDY_ACTIVATIONS}
    add_settings(
        settings,
        many=False,
        plurals=("initializer", "activation", "learning_rate"),
        without=_WITHOUT,
        defaults={**STUDY, **several, "learning_rate": None},
    )


def run(arguments: argparse.Namespace) -> None:
    """Train, draw, and print a row a rule and activation."""
    from initperf.report.trainability.cells import cells_of
    from initperf.report.trainability.evidence import trials_of
    from initperf.report.trainability.limits import limits_of, limits_table
    from initperf.report.trainability.measure import measure_study, study_cost
    from initperf.report.trainability.staged import StagedTraining
    from initperf.report.trainability.trial_files import write
    from initperf.training._data import load_all

    chosen = workers(arguments)
    study = study_of(arguments)
    directory = Path(arguments.out)
    export = output_file("--export", arguments.export)
    if not arguments.dry_run:
        check_page(directory)
    experiments = itertools.chain.from_iterable(study.experiments().values())
    datasets = load_all(experiments, arguments.data_dir)
    (dataset,) = datasets.values()
    if arguments.dry_run:
        kept = stored(directory / RUNS)
        rows = study_cost(study, workers=chosen.at_a_time, store=kept, datasets=datasets)
        show(rows, arguments.json)
        return
    with kept_runs(directory / RUNS) as store:
        found = measure_study(study, StagedTraining(progress, chosen, store, datasets, _tell))
    if not found.complete:
        _tell(ended_early(len(found.runs)))
    trials = trials_of(found.runs)
    if not trials:
        _tell("no run has settings that a table of trials can say")
        return
    if export is not None:
        evidence = _exported(trials, export, dataset)
        write(export, evidence)
        _tell(f"{export} has {len(evidence.trials):,} runs")
    limits = limits_table(limits_of(cells_of(trials)))
    page = _write(trials, directory, dataset, arguments.format)
    if page is not None:
        _tell(f"{page}")
    if limits.empty:
        _tell("there is no limit to show: a limit needs at least two depths")
    if not any(limits.get("setup", ())):
        limits = limits.drop(columns="setup", errors="ignore")
    show([without_nan(row) for row in limits.to_dict("records")], arguments.json)
    if len(limits) and not arguments.json:
        print()
        explain(_COLUMNS)


def study_of(arguments: argparse.Namespace) -> "Study":
    """Return what the options ask for.

    Raises
    ------
    UsageError
        For several values of a setting that takes one, and values out of range.
    """
    from initperf.report.trainability.study import Study

    given = axes(arguments)
    for name in ("parameters", "weight_variance", "bias_variance"):
        if name in given:
            flag = "set" if name == "parameters" else name.replace("_", "-")
            raise UsageError(
                f"--{flag} is not for depths; a rule takes parameters in its name, as "
                "'he_normal(gain=2)'"
            )
    changes: dict[str, Any] = {
        attribute: tuple(given.pop(name)) for name, attribute in _SEVERAL.items() if name in given
    }
    others = single_values(given)
    with usage():
        study = Study(**changes, seeds=arguments.seeds, given=others)
        made = [one for own in study.experiments().values() for one in own]
    check_used(arguments, others, made)
    return study


def _write(
    trials: "tuple[Trial, ...]", directory: Path, dataset: "Dataset", kind: str
) -> Path | None:
    """Write the page of some trials, and return its path, or None where nothing can be drawn.

    Parameters
    ----------
    trials : tuple of Trial
    directory : pathlib.Path
        The verb's own.
    dataset : Dataset
        What they were trained on.
    kind : str
        Format of the page.
    """
    from initperf.benchmarks import machine
    from initperf.report import tables as report_tables
    from initperf.report.trainability.tables import study_tables

    tables = study_tables(trials)
    figures = {
        "depth_limits": "depth_limits",
        "rate_ranges": "rates",
        "learning_rates": "rates",
    }
    only = tuple(figure for figure, table in figures.items() if table in tables)
    if not only:
        return None
    machines = report_tables.machine_table(dataset, machine.describe())
    return write_page(
        {**tables, "machine": machines},
        directory,
        title="Until which depth does it learn?",
        only=only,
        kind=kind,
    )


def _exported(trials: "tuple[Trial, ...]", path: Path, dataset: "Dataset") -> "Evidence":
    """Return the trials of a table and new ones, with when, how and on what they were made.

    Parameters
    ----------
    trials : tuple of Trial
        The new ones.
    path : pathlib.Path
        The table, which need not exist.
    dataset : Dataset
    """
    from initperf.benchmarks import machine
    from initperf.report.trainability.evidence import Evidence, covered, merged
    from initperf.report.trainability.trial_files import read

    before = read(path) if path.is_file() else Evidence(())
    every = merged(before.trials, trials)
    command = shlex.join(["initperf", *sys.argv[1:]])
    commands = [one for one in before.origin.get("commands", "").split("; ") if one]
    return Evidence(
        every,
        dict(before.origin)
        | {
            "made": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "version": __version__,
            "commands": "; ".join(dict.fromkeys([*commands, command])),
            "data": dataset.stamp,
            "machine": machine.describe().get("processor", "unknown"),
            "covers": covered(every),
        },
    )
