"""Table of runs over weight variance and depth: what a trainability map is drawn from."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from initperf.schemes.mean_field import MeanFieldScheme
from initperf.training.experiment import Experiment

if TYPE_CHECKING:
    import pandas as pd

    from initperf.training.run import Run

_FEWEST = 3
"""Weight variances, and depths, of which a map has at least so many."""

_OF_A_MAP = ("optimizer", "learning_rate", "epochs", "batch_size", "dataset")


def of_maps(experiments: Iterable[Experiment]) -> set[Experiment]:
    """Return the experiments that belong to a map.

    Parameters
    ----------
    experiments : iterable of Experiment

    Returns
    -------
    set of Experiment
        Those of the rule ``mean_field`` with hidden layers of one width, of an activation, width
        and σb² of which there are at least three weight variances and three depths.
    """
    groups: dict[tuple[Any, ...], list[tuple[Experiment, float]]] = {}
    for one in experiments:
        if not one.initializer.startswith("mean_field") or len(set(one.hidden)) != 1:
            continue
        rule = one.rule
        if isinstance(rule, MeanFieldScheme):
            key = (one.activation, one.hidden[0], rule.bias_variance)
            groups.setdefault(key, []).append((one, rule.weight_variance))
    return {
        one
        for members in groups.values()
        if len({variance for _, variance in members}) >= _FEWEST
        and len({len(each.hidden) for each, _ in members}) >= _FEWEST
        for one, _ in members
    }


def map_table(runs: "Iterable[Run]") -> "pd.DataFrame":
    """Return one row a run of a map.

    Parameters
    ----------
    runs : iterable of Run
        Of experiments that `of_maps` returns.

    Returns
    -------
    pandas.DataFrame
        ``activation``, ``width`` (units), ``bias_variance``, ``weight_variance``,
        ``depth`` (hidden layers), ``seed``, ``status``, ``test_accuracy``, the settings of the
        training, ``dataset_digest`` and ``run``. Sorted by the first six.
    """
    import pandas as pd

    rows = []
    for run in runs:
        one = run.experiment
        rule = one.rule
        assert isinstance(rule, MeanFieldScheme)  # of_maps returns no others
        rows.append(
            {
                "activation": one.activation,
                "width": one.hidden[0],
                "bias_variance": rule.bias_variance,
                "weight_variance": rule.weight_variance,
                "depth": len(one.hidden),
                "seed": one.seed,
                "status": run.status,
                "test_accuracy": run.test_accuracy,
                **{name: one.flat()[name] for name in _OF_A_MAP},
                "dataset_digest": run.dataset["dataset_digest"],
                "run": run.name,
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(list(table.columns[:6]), ignore_index=True)
