"""Rows of runs as the verbs that train print them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initperf.training.run import Run


def outcomes(runs: "Sequence[Run]", *, short: bool) -> list[dict[str, Any]]:
    """Return the rows of runs, each with the settings in which the runs differ.

    Parameters
    ----------
    runs : sequence of Run
    short : bool
        Whether the widths of equal layers are written once, as ``20x100``.
    """
    from initperf.training.experiment import settings

    known = settings()
    flat = [run.experiment.flat() for run in runs]
    names = dict.fromkeys(name for one in flat for name in one)
    varied = [name for name in names if len({one.get(name) for one in flat}) > 1]
    rows = []
    for run, one in zip(runs, flat, strict=True):
        row = outcome(run)
        found = {
            name: known[name].text(one[name], short=short) if name in one else None
            for name in varied
            if name not in row
        }
        at = list(row).index("data")
        items = list(row.items())
        rows.append(dict([*items[:at], *found.items(), *items[at:]]))
    return rows


def _score(run: "Run") -> dict[str, float]:
    return {"test_accuracy": run.test_accuracy} if run.test_r2 is None else {"test_r2": run.test_r2}


def outcome(run: "Run") -> dict[str, Any]:
    """Return the row of a run: its experiment, and how it ended."""
    experiment = run.experiment
    return {
        "run": run.name,
        "initializer": experiment.initializer,
        "activation": experiment.activation,
        "seed": experiment.seed,
        "data": f"{run.dataset['dataset']} ({run.dataset['dataset_size']:,})",
        "status": run.status,
        "diverged_step": run.diverged_step,
        **_score(run),
        "train_s": run.train_seconds,
        "compile_s": run.compile_seconds,
    }
