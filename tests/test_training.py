import numpy as np
import pandas as pd
import pytest

from initperf import Experiment, train
from initperf.kernels.train_epoch import STATISTICS
from initperf.optimizers import OPTIMIZERS

SMALL = Experiment(hidden=(32, 16), epochs=3, batch_size=64, learning_rate=0.2)


def learning_rates(experiment, first, count, total=None):
    return experiment.schedule.rates(experiment.learning_rate, first, count, total or first + count)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_network_learns_and_everything_is_recorded(blobs, backend):
    run = train(SMALL.replace(backend=backend), dataset=blobs)
    assert run.status == "finished"
    assert run.test_accuracy > 0.9
    steps = 3 * 5  # 300 images in batches of 64: the last has 44
    assert run.steps["step"].tolist() == list(range(1, steps + 1))
    assert run.steps["epoch"].tolist() == [1] * 5 + [2] * 5 + [3] * 5
    assert run.steps["loss"].iloc[-1] < run.steps["loss"].iloc[0]
    assert run.steps["accuracy"].between(0, 1).all()
    assert len(run.layers) == steps * 3
    assert set(STATISTICS) < set(run.layers)
    assert run.epochs["epoch"].tolist() == [0, 1, 2, 3]
    for table in (run.steps, run.layers, run.epochs):
        assert np.isfinite(table.to_numpy(float)).all()


def test_the_same_seed_gives_the_same_run_to_the_bit(blobs):
    first, second = (train(SMALL, dataset=blobs) for _ in range(2))
    pd.testing.assert_frame_equal(first.layers, second.layers, check_exact=True)
    assert first.name == second.name
    other = train(SMALL.replace(seed=1), dataset=blobs)
    assert not np.allclose(first.steps["loss"], other.steps["loss"])


def test_both_backends_follow_one_trajectory(blobs):
    runs = [
        train(SMALL.replace(backend=backend, dtype="float64"), dataset=blobs)
        for backend in ("numpy", "numba")
    ]
    # fifteen steps, each of which may amplify the roundings of a step (1e-12, tested apart)
    np.testing.assert_allclose(runs[0].steps["loss"], runs[1].steps["loss"], rtol=1e-9)


def test_experiments_that_differ_in_the_initializer_see_the_same_batches(blobs):
    # with a rate of 0 the accuracy of a step depends on its batch alone, and networks of zeros
    # predict class 0 for all
    runs = [
        train(SMALL.replace(initializer=name, learning_rate=0.0), dataset=blobs)
        for name in ("zeros", "constant")
    ]
    zeros, constants = (run.steps["accuracy"].to_numpy() for run in runs)
    assert len(set(zeros)) > 1
    assert np.array_equal(zeros, constants)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_divergence_is_a_result(blobs, backend):
    run = train(
        SMALL.replace(activation="linear", learning_rate=1e3, backend=backend),
        dataset=blobs,
    )
    assert run.status == "diverged"
    assert run.diverged_step == len(run.steps) + 1
    assert 1 <= run.diverged_layer <= 3
    assert np.isfinite(run.layers.to_numpy(float)).all()
    assert np.isfinite(run.steps.to_numpy(float)).all()
    assert 0 <= run.test_accuracy <= 1


@pytest.mark.parametrize(("record", "rows"), [("step", 15), ("epoch", 3), ("none", 0)])
def test_what_is_recorded_can_be_chosen(blobs, record, rows):
    run = train(SMALL.replace(record=record), dataset=blobs)
    assert len(run.steps) == rows
    assert len(run.layers) == 3 * rows
    assert len(run.epochs) == 4
    if record == "epoch":
        whole = train(SMALL, dataset=blobs)
        assert run.steps["step"].tolist() == [5, 10, 15]
        assert run.steps["loss"].tolist() == whole.steps["loss"].iloc[[4, 9, 14]].tolist()


def test_the_triangular_rate_rises_for_two_thousand_steps_and_falls_again():
    experiment = Experiment(schedule="triangular", learning_rate=0.1)
    rates = learning_rates(experiment, 0, 6001)
    assert rates[[0, 2000, 4000, 6000]] == pytest.approx([0.001, 0.1, 0.001, 0.1])
    assert np.allclose(np.abs(np.diff(rates)), (0.1 - 0.001) / 2000)
    assert learning_rates(experiment, 1234, 10) == pytest.approx(rates[1234:1244])


def test_the_triangle_has_the_parameters_it_is_given():
    experiment = Experiment(schedule="triangular", learning_rate=1.0, base_rate=0.5, half_cycle=2)
    assert learning_rates(experiment, 0, 5).tolist() == [0.5, 0.75, 1.0, 0.75, 0.5]


def test_the_cosine_warms_up_in_a_line_and_falls_to_the_base_rate():
    experiment = Experiment(
        schedule="cosine", learning_rate=0.2, base_rate=0.1, warm_up_steps=4, epochs=1
    )
    rates = learning_rates(experiment, 0, 15, 14)
    assert rates[:4] == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert rates[[4, 9, 14]] == pytest.approx([0.2, 0.15, 0.1])
    assert learning_rates(experiment, 6, 4, 14) == pytest.approx(rates[6:10])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns_and_both_backends_follow_one_trajectory(blobs, optimizer):
    rate = {"sgd": 0.2, "adam": 0.003, "adamw": 0.003}.get(optimizer, 0.05)
    experiment = SMALL.replace(
        optimizer=optimizer,
        learning_rate=rate,
        dtype="float64",
        weight_decay=1e-3,
        biases="fan_in_uniform",
        clip_norm=2.0,
        clip="global",
        hidden=(16, 16),
        residual=True,
    )
    runs = [train(experiment.replace(backend=name), dataset=blobs) for name in ("numpy", "numba")]
    assert runs[1].test_accuracy > 0.9
    # fifteen steps, each of which may amplify the roundings of a step (1e-12, tested apart)
    np.testing.assert_allclose(runs[0].steps["loss"], runs[1].steps["loss"], rtol=1e-9)
    for name in STATISTICS:
        ours, theirs = (run.layers[name].to_numpy() for run in runs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("record", ["step", "epoch", "none"])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_what_is_recorded_does_not_change_when_a_run_diverges(blobs, backend, record):
    run = train(
        SMALL.replace(
            initializer="large_normal",
            hidden=(16,) * 16,
            record=record,
            learning_rate=1.0,
            backend=backend,
        ),
        dataset=blobs,
    )
    whole = train(run.experiment.replace(record="step", backend="numpy"), dataset=blobs)
    assert run.status == "diverged"
    assert (run.diverged_step, run.diverged_layer) == (whole.diverged_step, whole.diverged_layer)
    assert np.isfinite(run.layers.to_numpy(float)).all()


def test_a_batch_larger_than_the_data_is_all_of_it(blobs):
    run = train(SMALL.replace(batch_size=100_000, epochs=1), dataset=blobs)
    assert len(run.steps) == 1


def test_progress_is_told(blobs):
    heard = []
    train(SMALL, dataset=blobs, progress=lambda *told: heard.append(told))
    assert heard == [(1, 3, "epochs"), (2, 3, "epochs"), (3, 3, "epochs")]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_histograms_are_kept_at_the_steps_that_are_chosen(blobs, backend):
    steps = (1, 7)
    run = train(SMALL.replace(histogram_steps=steps, backend=backend), dataset=blobs)
    table = run.histograms
    assert table["step"].unique().tolist() == [1, 7]
    totals = table.groupby(["step", "layer", "quantity"])["count"].sum()
    widths, inputs = (32, 16, 10), (784, 32, 16)
    for layer, (width, fan_in) in enumerate(zip(widths, inputs, strict=True), start=1):
        for step in (1, 7):
            assert totals[step, layer, "activation"] == 64 * width
            assert totals[step, layer, "gradient"] == fan_in * width
    layers = run.layers.set_index(["step", "layer"])
    for (step, layer), group in table[table["quantity"] == "gradient"].groupby(["step", "layer"]):
        largest = np.maximum(-group["bin_left"], group["bin_right"]).to_numpy()
        magnitude = layers.loc[(step, layer), "gradient_mean_abs"]
        # each gradient is replaced by the far edge of its bin, which is a bin too much at most
        width = group["bin_right"].iloc[0] - group["bin_left"].iloc[0]
        estimate = np.average(largest, weights=group["count"])
        assert 0.0 <= estimate - magnitude <= width


def test_without_histograms_their_table_is_empty(blobs):
    table = train(SMALL, dataset=blobs).histograms
    assert len(table) == 0
    assert list(table) == ["step", "layer", "quantity", "bin_left", "bin_right", "count"]


def test_a_histogram_after_the_last_step_is_refused(blobs):
    last = SMALL.epochs * -(-len(blobs.train_labels) // SMALL.batch_size)
    with pytest.raises(ValueError, match=f"steps of the run, of which there are {last}, not"):
        train(SMALL.replace(histogram_steps=(1, last + 1)), dataset=blobs)
