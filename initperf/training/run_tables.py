"""Runs as tables, for figures and reports."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from initperf.data import Dataset
from initperf.training.experiment import settings
from initperf.training.map_tables import map_table, of_maps
from initperf.training.setups import name_setups

if TYPE_CHECKING:
    import pandas as pd

    from initperf.training.run import Run


def run_tables(runs: "Iterable[Run]", dataset: Dataset | None = None) -> "dict[str, pd.DataFrame]":
    """Return the runs as tables: one row a run, a step, an epoch, a step and layer.

    Parameters
    ----------
    runs : iterable of Run
    dataset : Dataset, optional
        What they were trained on, with the width that a network begins with and the classes that
        it ends with; without it, the column ``network`` has the hidden layers alone.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``"runs"`` has a column for each setting that runs must share to be compared, empty where
        a run's optimizer or schedule does not have it, and with a dataset ``test_images``, their
        number; ``"steps"``, ``"epochs"`` and ``"layers"`` are those of the runs under each other,
        and so is ``"histograms"`` where there are any.
    """
    import pandas as pd

    declared = settings()
    rows: list[dict[str, Any]] = []
    parts: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("steps", "epochs", "layers", "histograms")
    }
    width = () if dataset is None else (dataset.train_images.shape[1],)
    outputs = () if dataset is None else (dataset.outputs,)
    judged = {} if dataset is None else {"test_images": len(dataset.test_labels)}
    for run in runs:
        experiment = run.experiment
        sizes = (*width, *experiment.hidden, *outputs)
        losses = run.step_columns["loss"]
        rows.append(
            {
                "run": run.name,
                "initializer": experiment.initializer,
                "activation": experiment.activation,
                "network": "-".join(map(str, sizes)),
                **run.dataset,
                **judged,
                "seed": experiment.seed,
                "backend": experiment.backend,
                **{
                    name: declared[name].text(value)
                    for name, value in experiment.flat().items()
                    if declared[name].compared
                },
                "status": run.status,
                "diverged_step": run.diverged_step,
                "test_accuracy": run.test_accuracy,
                **({} if run.test_r2 is None else {"test_r2": run.test_r2}),
                "final_loss": losses[-1] if len(losses) else None,
                "train_seconds": run.train_seconds,
                "compile_seconds": run.compile_seconds,
                "steps": len(losses),
            }
        )
        for name, part in parts.items():
            frame = getattr(run, name)
            if name != "histograms" or len(frame):
                frame.insert(0, "run", run.name)
                part.append(frame)
    table = pd.DataFrame(rows).astype({"diverged_step": "Int64", "final_loss": "Float64"})
    return {"runs": table} | {
        name: pd.concat(part, ignore_index=True) for name, part in parts.items() if part
    }


def tables_of(runs: "Iterable[Run]", besides: Iterable[str] = ()) -> "dict[str, pd.DataFrame]":
    """Return all tables that figures can be drawn from runs of any settings.

    Parameters
    ----------
    runs : iterable of Run
    besides : iterable of str
        Settings that differ without making another setup.

    Returns
    -------
    dict of str to pandas.DataFrame
        Those of `run_tables`, ``"runs"`` with a column ``setup`` of what tells the settings of
        the runs apart; ``"signal"``: activations and gradients of the hidden layers of the first
        batch, before any training, of the runs that recorded their first step; and
        ``"trainability"`` of `map_table` where runs make a map.
    """
    every = list(runs)
    tables = run_tables(every)
    setups = name_setups((run.experiment for run in every), besides)
    names = [setups[run.experiment] for run in every]
    table = tables["runs"]
    table.insert(table.columns.get_loc("activation") + 1, "setup", names)
    layers = tables["layers"]
    keys = table[["run", "initializer", "activation", "setup", "seed"]]
    last = layers.groupby("run")["layer"].transform("max")
    first = layers[(layers["step"] == 1) & (layers["layer"] < last)]
    if len(first):
        tables["signal"] = keys.merge(first, on="run").drop(columns=["run", "step"])
    if mapped := of_maps(run.experiment for run in every):
        tables["trainability"] = map_table(run for run in every if run.experiment in mapped)
    return tables
