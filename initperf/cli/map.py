"""``initperf map``: accuracy over weight variance and depth, with what theory expects."""

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initperf.cli._arguments import add_data, add_json, integer
from initperf.cli._kept_runs import kept_runs
from initperf.cli._notices import notice
from initperf.cli._output import progress, show, usage
from initperf.cli._pages import RUNS, add_page, check_page, write_page
from initperf.cli._settings import add_settings, axes, check_used, single_values
from initperf.cli._workers import add_dry_run, add_workers, ended_early, stored, workers
from initperf.errors import UsageError
from initperf.report.usual import MAP, MAP_ACTIVATIONS

if TYPE_CHECKING:
    from initperf.report.trainability.map_plan import MapPlan

HELP = "map where networks train, over weight variance and depth, beside mean-field theory"

_tell = functools.partial(notice, "map")

_WITHOUT = ("initializer", "loss", "hidden", "seed", "residual", "record", "histogram_steps")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_page(parser, "map")
    parser.add_argument(
        "--quick", action="store_true", help="minutes: width 100, one seed, fewer points and steps"
    )
    parser.add_argument(
        "--seeds", type=integer(1, most=1000), metavar="N", help="runs of each point"
    )
    parser.add_argument(
        "--points",
        type=integer(1, most=100_000),
        metavar="N",
        help="points of each map at most; they go where accuracy changes fastest",
    )
    add_workers(parser)
    add_dry_run(parser)
    add_data(parser)
    add_json(parser)
    settings = parser.add_argument_group(
        "settings of the runs",
        "Several activations and widths, separated by commas, have a map each. --depth 2,100 and "
        "--weight-variance 0.5,4 are the ends of the axes. By default widths 100,300 and σb² 0.05; "
        "--quick trains for 2 epochs.",
    )
    defaults = {**MAP, "activation": MAP_ACTIVATIONS}
    add_settings(settings, many=False, without=_WITHOUT, defaults=defaults)


def run(arguments: argparse.Namespace) -> None:
    """Train the points, draw the map, and print a row a map."""
    from initperf.report import tables as report_tables
    from initperf.training._data import load_all

    chosen = workers(arguments)
    plan = _plan(arguments)
    directory = Path(arguments.out)
    if not arguments.dry_run:
        check_page(directory)
    first = plan.experiments(plan.panels()[0], plan.refinement().points[:1])
    datasets = load_all(next(iter(first.values())), arguments.data_dir)
    (dataset,) = datasets.values()
    if arguments.dry_run:
        from initperf.report.trainability.maps import plan_cost
        from initperf.training._pace import duration

        kept = stored(directory / RUNS)
        rows = plan_cost(plan, workers=chosen.at_a_time, store=kept, datasets=datasets)
        show([row | {"most": duration(row["most_s"])} for row in rows], arguments.json)
        return
    from initperf.benchmarks import machine
    from initperf.report.trainability.maps import measure_maps
    from initperf.report.trainability.staged import StagedTraining
    from initperf.training.map_tables import map_table

    with kept_runs(directory / RUNS) as store:
        found = measure_maps(plan, StagedTraining(progress, chosen, store, datasets, _tell))
    if not found.complete:
        _tell(ended_early(len(found.runs)))
    if not found.runs:
        return
    table = map_table(found.runs)
    page = write_page(
        {
            "trainability": table,
            "machine": report_tables.machine_table(dataset, machine.describe()),
        },
        directory,
        title="Where do networks train?",
        only=("trainability_map",),
        kind=arguments.format,
    )
    _tell(f"{page}")
    groups = table.groupby(["activation", "width"], sort=False)
    show(
        [
            {
                "activation": activation,
                "width": width,
                "points": len(own[["weight_variance", "depth"]].drop_duplicates()),
                "runs": len(own),
                "diverged": int((own["status"] == "diverged").sum()),
                "best_accuracy": float(own["test_accuracy"].max()),
                "complete": found.complete,
            }
            for (activation, width), own in groups
        ],
        arguments.json,
    )


def _plan(arguments: argparse.Namespace) -> "MapPlan":
    """Return what the options ask for.

    Raises
    ------
    UsageError
        For settings that a map does not have, several values of one, and values out of range.
    """
    from initperf.report.trainability.map_plan import MapPlan

    given = axes(arguments)
    if "parameters" in given:
        raise UsageError("--set is not for a map, whose rule is mean_field")
    changes: dict[str, Any] = {}
    if "activation" in given:
        changes["activations"] = tuple(dict.fromkeys(given.pop("activation")))
    if "width" in given:
        changes["widths"] = tuple(dict.fromkeys(given.pop("width")))
    for name, attribute in (("weight_variance", "weight_variances"), ("depth", "depths")):
        if name in given:
            ends = given.pop(name)
            if len(ends) != 2:
                raise UsageError(
                    f"--{name.replace('_', '-')} must be two numbers, the ends of the axis"
                )
            changes[attribute] = tuple(ends)
    others = single_values(given)
    if "bias_variance" in others:
        changes["bias_variance"] = others.pop("bias_variance")
    for name in ("seeds", "points"):
        if getattr(arguments, name) is not None:
            changes[name] = getattr(arguments, name)
    make = MapPlan.quick if arguments.quick else MapPlan
    with usage():
        plan = make(**changes, given=others)
        made = plan.experiments(plan.panels()[0], plan.refinement().points[:1])
    check_used(arguments, others, next(iter(made.values())))
    return plan
