"""The table of runs has what runs must share, and figures refuse those that do not."""

import pytest

from initperf import Experiment, train
from initperf.report.tables import run_tables
from initperf.training.experiment import settings
from initperf_figures._figure import check_comparable

SMALL = Experiment(
    hidden=(4,), epochs=1, batch_size=100, optimizer="momentum", backend="numpy", biases="constant"
)


def table(blobs, *experiments):
    return run_tables([train(one, dataset=blobs) for one in experiments], blobs)["runs"]


def test_there_is_a_column_for_every_setting_that_is_compared(blobs):
    (row,) = table(blobs, SMALL).to_dict("records")
    for name, value in SMALL.flat().items():
        declared = settings()[name]
        assert not declared.compared or row[name] == declared.text(value) or value is None
    assert (row["momentum"], row["hidden"], row["biases"]) == (0.9, "4", "constant")
    assert "record" not in row


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"momentum": 0.5}, r"differ in momentum \(0.5, 0.9\)"),
        ({"weight_decay": 0.1}, r"differ in weight_decay \(0.0, 0.1\)"),
        ({"hidden": (5,)}, r"differ in network \(784-4-10, 784-5-10\)"),
        ({"clip_norm": 1.0}, "differ in clip_norm"),
        ({"optimizer": "sgd"}, r"differ in optimizer \(momentum, sgd\)"),
        ({"schedule": "cosine", "warm_up_steps": 2}, r"differ in schedule \(constant, cosine\)"),
    ],
)
def test_runs_of_one_activation_must_share_every_setting(blobs, changes, named):
    with pytest.raises(ValueError, match=named):
        check_comparable(table(blobs, SMALL, SMALL.replace(**changes)))


def test_runs_may_differ_in_what_is_compared_and_in_what_changes_nothing(blobs):
    others = ({"initializer": "zeros"}, {"seed": 1}, {"record": "epoch"}, {"activation": "tanh"})
    runs = table(blobs, SMALL, *(SMALL.replace(**changes) for changes in others))
    check_comparable(runs)
    assert len(runs) == 5
