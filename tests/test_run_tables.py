"""Tables of a report: of runs, with what runs must share to be compared, and of signals."""

import numpy as np
import pytest

from initperf import Experiment, train
from initperf.report import tables
from initperf.report.measure import probes
from initperf.report.plan import Settings, plan
from initperf.report.tables import signal_table, signals_table
from initperf.training.experiment import settings
from initperf.training.run_tables import run_tables
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


def test_the_runs_say_how_many_test_images_judged_them(blobs):
    assert table(blobs, SMALL)["test_images"].tolist() == [100]


@pytest.mark.parametrize("initializer", ["he_normal", "lsuv"])
def test_signals_are_those_of_the_experiments_own_network(blobs, initializer):
    """Their first layer by hand, and as many rows as hidden layers, biases included."""
    images = blobs.features("test", "float64")
    changes = {"dtype": "float64", "biases": "constant"} if initializer == "he_normal" else {}
    experiment = Experiment(initializer, "tanh", hidden=(9, 7, 5), backend="numpy", **changes)
    found = signal_table(experiment, images, blobs.test_labels.copy())
    assert found["layer"].tolist() == [1, 2, 3]
    assert found["activation_variance"].notna().all()
    if initializer == "he_normal":
        # the means of 9 units of 100 images in float64: rounding of sums of 784 products
        from initperf.training.network import Mlp

        network = Mlp((784, 9, 7, 5, 10), "tanh", "float64", "numpy")
        network.initialize(initializer, rng=0, biases="constant")
        weights, biases = next(network.layers())
        expected = np.tanh(images @ weights + biases).mean()
        assert biases[0] == 0.01
        assert found["activation_mean"][0] == pytest.approx(expected, rel=1e-9)


def test_a_report_shows_signals_of_deep_networks(blobs, monkeypatch):
    monkeypatch.setattr(tables, "DEEP", (6,) * 4)
    given = {"initializer": ["he_normal", "zeros"], "activation": "relu", "backend": "numpy"}
    chosen = Settings(given=given | {"biases": "constant"})
    (experiments,) = probes(chosen, plan(chosen)).values()
    found = signals_table(experiments, blobs, lambda *_: None)
    assert found.groupby("initializer")["layer"].max().to_dict() == {"he_normal": 4, "zeros": 4}


def test_signals_are_of_as_many_images_as_are_asked_for(blobs):
    chosen = Settings(given={"initializer": "he_normal", "activation": "relu", "hidden": (6, 6)})
    (experiments,) = probes(chosen, plan(chosen)).values()
    few, more = (signals_table(experiments, blobs, lambda *_: None, images=n) for n in (20, 40))
    alone = tables.signal_table(
        experiments[0], blobs.features("test", "float32", 20), blobs.test_labels[:20].copy()
    )
    assert few["activation_mean"].tolist()[:2] == alone["activation_mean"].tolist()
    assert few["activation_mean"].tolist() != more["activation_mean"].tolist()
