"""Trainability maps: test accuracy after a fixed number of steps over weight variance and depth."""

import itertools
from collections.abc import Mapping
from typing import Any

from initperf import data
from initperf.report.trainability.map_plan import MapPlan, Panel
from initperf.report.trainability.refinement import Point
from initperf.report.trainability.staged import Found, StagedTraining
from initperf.training._estimate import sweep_seconds
from initperf.training.run import Run
from initperf.training.store import RunStore
from initperf.training.sweep import to_train


def measure_maps(plan: MapPlan, training: StagedTraining) -> Found:
    """Train the points of all maps, round by round, until no cell is left to split.

    Parameters
    ----------
    plan : MapPlan
        The same plan asks for the same points again, whose runs are read where they are stored.
    training : StagedTraining
        A round is a stage.

    Raises
    ------
    initperf.errors.UsageError
        When a run cannot be written.
    """
    grids = {panel: plan.refinement() for panel in plan.panels()}
    values: dict[Panel, dict[Point, float]] = {panel: {} for panel in grids}
    waiting = {panel: grid.points for panel, grid in grids.items()}
    for number_of_round in itertools.count(1):
        made = {panel: plan.experiments(panel, points) for panel, points in waiting.items()}
        wanted = [one for own in made.values() for several in own.values() for one in several]
        if not wanted:
            break
        if not training.train(f"round {number_of_round}", wanted):
            return Found(list(training.runs.values()), complete=False)
        for panel, own in made.items():
            values[panel] |= {
                point: sum(score(training.runs[one], training.datasets) for one in several)
                / len(several)
                for point, several in own.items()
            }
        waiting = {
            panel: grid.refine(values[panel], plan.points - len(grid.points))
            for panel, grid in grids.items()
        }
    return Found(list(training.runs.values()), complete=True)


def score(run: Run, datasets: Mapping[str, data.Dataset]) -> float:
    """Return the test accuracy of a run; that of guessing where it diverged.

    Parameters
    ----------
    run : Run
    datasets : mapping of str to Dataset
        Data sets by name.
    """
    if run.status == "diverged":
        return 1.0 / datasets[run.experiment.dataset].classes
    return run.test_accuracy


def plan_cost(
    plan: MapPlan,
    *,
    workers: int,
    store: RunStore | None,
    datasets: dict[str, data.Dataset],
) -> list[dict[str, Any]]:
    """Return what the maps will take: a row each, and their sum.

    Parameters
    ----------
    plan : MapPlan
    workers : int
        Runs at a time.
    store : RunStore or None
        Runs in it cost nothing.
    datasets : dict
        Data sets by name.

    Returns
    -------
    list of dict
        ``activation``, ``width``, ``first_runs`` (of the first grid), ``kept`` (of these, in the
        store), ``most_runs`` (with all points that the refinement may ask for), ``full_grid_runs``
        (a grid as fine as the finest cells), ``first_s`` and ``most_s``: estimated seconds, with
        the refined points as costly on average as those of the first grid.
    """
    rows = []
    for activation, width in plan.panels():
        grid = plan.refinement()
        made = plan.experiments((activation, width), grid.points)
        first = [one for several in made.values() for one in several]
        waiting = to_train(first, store, datasets)
        count = min(workers, len(first))
        seconds = sweep_seconds(first, datasets, count)
        most = plan.points * plan.seeds
        full = plan.seeds * (plan.columns * 2**plan.levels + 1) * (plan.rows * 2**plan.levels + 1)
        rows.append(
            {
                "activation": activation,
                "width": width,
                "first_runs": len(first),
                "kept": len(first) - len(waiting),
                "most_runs": most,
                "full_grid_runs": full,
                "first_s": seconds * len(waiting) / len(first),
                "most_s": seconds * (most - len(first) + len(waiting)) / len(first),
            }
        )
    summed = {
        name: sum(row[name] for row in rows)
        for name in ("first_runs", "kept", "most_runs", "full_grid_runs", "first_s", "most_s")
    }
    return [*rows, {"activation": "all", "width": None} | summed]
