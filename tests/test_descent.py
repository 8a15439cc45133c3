"""The loss along the first gradient, against training, its own derivatives and the run's data."""

import dataclasses

import numpy as np
import pytest

import initperf
from initperf import data
from initperf._core.progress import silent
from initperf.errors import DataError
from initperf.training.descent import STEPS, descent_table, descents_table
from initperf_figures import draw

SHAPE = {"hidden": (12, 8), "dataset": "mnist_5k", "batch_size": 64}


@pytest.fixture(scope="module")
def dataset():
    return data.load("mnist_5k")


@pytest.fixture(scope="module")
def run():
    return initperf.train(initperf.Experiment("lsuv", "tanh", epochs=1, **SHAPE))


def test_it_begins_where_training_begins(run):
    """LSUV sees more images than the batch: both must be those of the run."""
    found = run.descents()
    assert list(found["learning_rate"]) == list(STEPS)
    # float32 sums of 784 terms in three layers, against float64
    assert found["start_loss"].iloc[0] == pytest.approx(run.steps["loss"].iloc[0], rel=1e-5)


@pytest.mark.parametrize("rule", ["glorot_uniform", "he_normal"])
def test_predictions_are_the_first_terms_of_the_measured_loss(rule, dataset):
    one = initperf.Experiment(rule, "tanh", dtype="float64", **SHAPE)
    images = dataset.features("train", "float64")
    found = descent_table(one, images, dataset.train_labels)
    small = found[found["learning_rate"] < 0.004]
    step = np.log(small["learning_rate"])
    first, second = (
        (small["loss"] - small[name]).abs() for name in ("first_order", "second_order")
    )
    share = (second / first).max()  # of the terms that the parabola leaves out, in the tangent's
    assert 0 < share < 0.3
    assert np.polyfit(step, np.log(first), 1)[0] == pytest.approx(2, abs=share)
    # their own next terms are as many times smaller again
    assert np.polyfit(step, np.log(second), 1)[0] == pytest.approx(3, abs=share)


def test_a_gradient_step_of_training_reaches_the_loss_beside_it(dataset):
    """One step of plain gradient descent by the kernel, on the same batch again."""
    rate = STEPS[8]
    one = initperf.Experiment("he_normal", "relu", learning_rate=rate, epochs=2, **SHAPE)
    count = one.batch_size
    batch = np.random.default_rng([one.seed, 0]).permutation(count)
    images, labels = dataset.features("train", "float32", count), dataset.train_labels[:count]
    found = descent_table(one, images[batch], labels[batch])
    from initperf.training._epochs import Epochs

    epochs = Epochs(one, images[batch], labels[batch].copy())
    epochs.initialize()
    epochs.run(np.arange(count), 0, np.array([rate]))
    before = epochs.records.losses[0]
    epochs.run(np.arange(count), 1, np.array([rate]))
    row = found[found["learning_rate"] == rate].iloc[0]
    assert before == pytest.approx(row["start_loss"], rel=1e-5)  # float32 sums of 784 terms
    assert epochs.records.losses[0] == pytest.approx(row["loss"], rel=1e-4)


def test_what_overflows_is_missing_and_values_have_no_such_loss(dataset):
    wild = initperf.Experiment("large_normal", "relu", **(SHAPE | {"hidden": (64,) * 150}))
    values = initperf.Experiment("he_normal", "relu", loss="squared_error", **SHAPE)
    found = descents_table([wild, values], dataset, silent)
    assert set(found["initializer"]) == {"large_normal"}
    assert found["loss"].isna().any()
    assert not np.isinf(found.select_dtypes(float)).any().any()


def test_a_run_of_other_data_is_refused(run):
    other = dataclasses.replace(run, dataset=run.dataset | {"dataset_digest": "0"})
    with pytest.raises(DataError, match="trained on other data than mnist_5k"):
        other.descents()


def test_a_run_is_drawn(run):
    figure = draw("loss_along_gradient", run, size="one_column")
    assert figure.axes[0].get_title(loc="left") == "lsuv"
