"""Regression: losses of values, from the kernel to the command line."""

import contextlib
import itertools
import json
import math

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from initperf import Experiment, cli, train
from initperf.data import from_arrays, load
from initperf.errors import DataError, UnsuitableError, UsageError
from initperf.initializers import INITIALIZERS
from initperf.kernels import KERNELS
from initperf.kernels.train_epoch import Batches, Descent, Records
from initperf.losses import LOSSES
from initperf.schemes import SCHEMES, Supervised
from initperf.training.network import Mlp
from initperf.training.run_tables import tables_of
from initperf.training.store import RunStore
from initperf.training.sweep import Workers, sweep

SQUARED = LOSSES["squared_error"]
SMALL = Experiment(
    loss="squared_error", hidden=(8,), epochs=3, batch_size=25, dataset="own", activation="tanh"
)


def curved(count=200, outputs=2, seed=0):
    """Make rows of three features and values that depend on them, with noise of variance 0.01."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 3))
    values = np.stack([np.sin(rows[:, 0] + k) + rows[:, 1] for k in range(outputs)], axis=1)
    return rows, 50.0 + 7.0 * (values + 0.1 * rng.normal(size=values.shape))


OWN = from_arrays(*curved())


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("sizes", [(6, 7, 5, 4), (3, 1), (1, 1, 1)])
def test_gradients_are_the_limit_of_differences(sizes, backend):
    rng = np.random.default_rng(1)
    network = Mlp(sizes, "tanh", "float64", backend).initialize("lecun_normal", rng=2)
    images, targets = rng.normal(size=(9, sizes[0])), rng.normal(size=(9, sizes[-1]))
    arrays, records = network.arrays(9), Records.of(1, network.depth)
    descent = Descent.plain(np.zeros(1), network.parameters)._replace(loss=SQUARED)
    batches = Batches(images, targets, np.arange(9), 9)
    assert KERNELS["train_epoch"][backend](arrays, batches, descent, records) == (1, 0)
    step = 1e-6
    for at in range(len(network.parameters)):
        before, losses = network.parameters[at], []
        for sign in (1.0, -1.0):
            network.parameters[at] = before + sign * step
            # written out again, for what is minimised not to be what the kernel thinks it is
            losses.append(np.mean((network.logits(images) - targets) ** 2))
        network.parameters[at] = before
        difference = (losses[0] - losses[1]) / (2 * step)
        # third derivatives of order 10 times step^2, and losses of order 1 rounded, by the step
        assert arrays.gradients[at] == pytest.approx(difference, abs=1000 * step**2 + 1e-15 / step)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_loss_and_score_are_those_of_scikit_learn(outputs, backend):
    rng = np.random.default_rng(outputs)
    network = Mlp((4, 6, outputs), "relu", "float64", backend).initialize("he_normal", rng=0)
    images, targets = rng.normal(size=(50, 4)), rng.normal(size=(50, outputs))
    loss, score = network.evaluate(images, targets, SQUARED)
    found = network.logits(images)
    assert loss == pytest.approx(np.mean((found - targets) ** 2), rel=1e-12)
    expected = r2_score(targets, found, multioutput="variance_weighted")
    assert score == pytest.approx(expected, rel=1e-12)
    assert math.isnan(network.evaluate(images, np.ones((50, outputs)), SQUARED)[1])
    network.parameters[:] = np.inf
    assert np.isnan(network.evaluate(images, targets, SQUARED)[1])


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_network_without_hidden_layers_finds_the_least_squares(backend):
    rows, values = load_diabetes(return_X_y=True)
    dataset = from_arrays(rows, values)
    # columns are correlated, but for the last tenth of a per cent gradient descent is fast enough
    experiment = SMALL.replace(
        hidden=(), epochs=3000, batch_size=1000, learning_rate=0.1, dtype="float64", backend=backend
    )
    run = train(experiment.replace(record="epoch"), dataset=dataset)
    model = LinearRegression().fit(dataset.train_images, dataset.train_labels)
    expected = model.score(dataset.test_images, dataset.test_labels)
    assert run.test_r2 == pytest.approx(expected, abs=1e-3)
    fitted = model.score(dataset.train_images, dataset.train_labels)
    assert run.steps["r2"].iloc[-1] == pytest.approx(fitted, abs=1e-3)


def test_both_backends_follow_one_trajectory_and_both_scores_are_kept():
    one, other = (train(SMALL.replace(backend=name), dataset=OWN) for name in ("numpy", "numba"))
    assert list(one.steps) == ["step", "epoch", "loss", "r2", "learning_rate"]
    assert list(one.epochs) == ["epoch", "test_loss", "test_r2"]
    for table in ("steps", "epochs", "layers"):
        for name, values in getattr(one, table).items():
            # 21 steps of float32, each of sums of some 30 terms: 21 * 30 * 6e-8
            np.testing.assert_allclose(getattr(other, table)[name], values, rtol=1e-4, atol=1e-4)
    assert one.epochs["test_r2"].iloc[-1] > 0.5 > one.epochs["test_r2"].iloc[0]
    assert one.test_r2 == one.epochs["test_r2"].iloc[-1]
    assert math.isnan(one.test_accuracy)
    assert "test R²" in one._repr_html_()
    # the training targets are standardised, so that R² of a batch is 1 less its loss
    np.testing.assert_allclose(one.steps["r2"], 1.0 - one.steps["loss"], atol=1e-6)


def suited(name):
    """Return an experiment of a rule, with an activation and blocks that suit it."""
    fixed = {"hidden": (8, 8, 8), "learning_rate": 0.0, "backend": "numpy", "record": "none"}
    for activation, residual in itertools.product(("relu", "tanh", "sin"), (0, 2)):
        with contextlib.suppress(UnsuitableError):
            return SMALL.replace(
                initializer=name, activation=activation, residual=residual, **fixed
            )
    raise AssertionError(name)


@pytest.mark.exhaustive(keep=6)
@pytest.mark.parametrize(
    "name",
    [
        name
        for name, rule in {**INITIALIZERS, **SCHEMES}.items()
        if not isinstance(rule, Supervised)
    ],
)
def test_every_rule_starts_a_regression(name):
    run = train(suited(name), dataset=OWN)
    assert run.status == "finished"
    assert np.isfinite(run.test_r2)


def test_a_rule_that_uses_classes_is_refused():
    with pytest.raises(UnsuitableError, match="gradinit uses classes, and loss=squared_error"):
        SMALL.replace(initializer="gradinit")


def test_divergence_is_a_result(tmp_path):
    run = train(SMALL.replace(learning_rate=1e30), dataset=OWN)
    assert (run.status, run.diverged_step) == ("diverged", 1)
    store = RunStore(tmp_path)
    store.save(run)
    assert store.load(run.name).test_r2 == run.test_r2
    enormous = SMALL.replace(initializer="normal(scale=1e20)", activation="relu", hidden=(8, 8))
    broken = train(enormous, dataset=OWN)
    store.save(broken)
    assert math.isnan(broken.test_r2)
    assert math.isnan(store.load(broken.name).test_r2)
    facts, damaged = store.facts()
    assert (len(facts), damaged) == (2, {})


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, Workers(2, "processes")])
def test_sweeps_keep_runs_with_their_scores(tmp_path, workers):
    grid = [
        SMALL.replace(seed=seed, initializer=name)
        for seed in (0, 1)
        for name in ("zeros", "orthogonal")
    ]
    alone = [train(one, dataset=OWN) for one in grid]
    store = RunStore(tmp_path)
    runs = sweep(grid, workers=workers, store=store, datasets={"own": OWN})
    for one, other in zip(alone, runs, strict=True):
        assert (one.name, one.test_r2) == (other.name, other.test_r2)
        assert np.array_equal(one.step_columns["loss"], other.step_columns["loss"])
        assert store.load(one.name).test_r2 == one.test_r2
    tables = tables_of([*runs, train(SMALL.replace(loss="cross_entropy"), dataset=CLASSES)])
    assert tables["runs"]["test_r2"].notna().sum() == 4
    assert tables["runs"]["test_accuracy"].notna().sum() == 1
    assert set(tables["runs"]["loss"]) == {"squared_error", "softmax_cross_entropy"}


CLASSES = from_arrays(*load_digits(return_X_y=True), name="digits")


def test_digits_of_scikit_learn_are_told_apart():
    run = train(Experiment(hidden=(64,), epochs=20, batch_size=32, record="none"), dataset=CLASSES)
    # 0.97 in the papers that use it; of 360 test images the standard deviation is a point
    assert (CLASSES.classes, CLASSES.train_images.shape[1]) == (10, 64)
    assert run.test_accuracy > 0.94


def run(capsys, *words):
    """Return (exit code, standard output, standard error) of a command line."""
    code = cli.main(list(map(str, words)))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def table(tmp_path):
    """Give diabetes of scikit-learn as a table, whose target is an integer."""
    frame = load_diabetes(as_frame=True).frame
    frame["target"] = frame["target"].astype(int)
    frame.to_csv(tmp_path / "diabetes.csv", index=False)
    return tmp_path / "diabetes.csv"


def test_a_table_is_trained_on_listed_and_exported(capsys, tmp_path, table):
    words = ("--dataset", table, "--target", "target", "--hidden", "16", "--activation", "tanh")
    words += ("--batch-size", "32", "--learning-rate", "0.03", "--out", tmp_path / "runs")
    code, out, _ = run(capsys, "sweep", *words, "--loss", "mse", "--seed", "0,1,2", "--json")
    rows = json.loads(out)
    assert code == 0
    assert all("test_accuracy" not in row for row in rows)
    # Linear regression explains 0.4 to 0.5 of the variance, by the choice of the 88 test rows
    assert np.mean([row["test_r2"] for row in rows]) > 0.3
    code, out, _ = run(
        capsys, "runs", tmp_path / "runs", "--where", "loss=squared_error and test_r2>0"
    )
    assert (code, "test_r2" in out, "test_accuracy" in out) == (0, True, False)
    assert len(out.splitlines()) == 2 + 3
    export = tmp_path / "epochs.csv"
    code, *_ = run(capsys, "runs", tmp_path / "runs", "--export", export, "--rows", "epochs")
    assert (code, "test_r2" in export.read_text()) == (0, True)
    code, out, _ = run(
        capsys, "sweep", *words, "--loss", "mse", "--seed", "0-9", "--dry-run", "--json"
    )
    (row,) = json.loads(out)
    assert (code, row["kept"], row["to_train"]) == (0, 3, 7)


@pytest.mark.slow
@pytest.mark.parametrize("rates", ["0.1", "0.01,0.1"])
def test_a_report_of_regressions_leaves_out_figures_of_accuracies(capsys, tmp_path, table, rates):
    words = ("--dataset", table, "--target", "target", "--hidden", "8,8-8", "--epochs", "2")
    words += ("--loss", "squared_error", "--seed", "0,1", "--initializer", "he_normal,zeros")
    words += ("--learning-rate", rates, "--out", tmp_path / "runs")
    assert run(capsys, "sweep", *words)[0] == 0
    out = ("--from", tmp_path / "runs", "--out", tmp_path / "page")
    assert run(capsys, "report", *out)[0] == 0
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert "runs with an accuracy, which those of a regression do not have" in page
    assert "it recommends nothing" in page
    assert page.count("<svg") > 3


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--loss", "squared_eror"), 2, "did you mean 'squared_error'"),
        (("--loss", "squared_error"), 3, "mnist has classes and no values to predict"),
        (("--loss", "squared_error", "--dataset", "words.csv"), 3, "targets must be numbers"),
        (("--loss", "squared_error", "--dataset", "equal.csv"), 3, "targets of the training set"),
        (("--dataset", "floats.csv"), 3, "the loss squared_error predicts numbers"),
        (("--dataset", "floats.npz"), 2, "tells classes apart, and floats.npz has values"),
        (("--loss", "squared_error", "--dataset", "huge.npz"), 3, "too large for their variance"),
    ],
)
def test_what_is_no_regression_is_one_line(capsys, tmp_path, monkeypatch, words, code, message):
    monkeypatch.chdir(tmp_path)
    for name, values in (
        ("words", ["a", "b", "a", "b"]),
        ("equal", [1.5] * 4),
        ("floats", [0.5, 1, 2, 3]),
    ):
        lines = [f"{number},{value}" for number, value in enumerate(values)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["x,y", *lines]))
    np.savez("floats.npz", X=np.eye(4), y=np.arange(4) + 0.5)
    np.savez("huge.npz", X=np.eye(4), y=np.arange(4) * 1e300)
    found, out, err = run(capsys, "train", "--backend", "numpy", "--epochs", "1", *words)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert message in err


def test_a_loss_must_be_of_the_targets(tmp_path):
    with pytest.raises(UnsuitableError, match="squared_error predicts values, and digits has 10"):
        train(SMALL, dataset=CLASSES)
    with pytest.raises(UnsuitableError, match="tells classes apart, and own has values"):
        sweep([SMALL.replace(loss="softmax_cross_entropy")], datasets={"own": OWN})
    with pytest.raises(DataError, match="mnist_5k has classes"):
        load("mnist_5k", values=True)
    np.savez(tmp_path / "a.npz", X=curved()[0], y=np.arange(200) % 3)
    both = [SMALL.replace(dataset=str(tmp_path / "a.npz"), loss=name) for name in LOSSES]
    with pytest.raises(UsageError, match=r"take the targets of .* differently"):
        sweep(both)


def test_targets_are_standardised_by_the_training_set():
    targets = OWN.targets("train", "float64")
    # sums of 160 rounding errors of 1e-16 each
    np.testing.assert_allclose(targets.mean(axis=0), 0.0, atol=1e-13)
    np.testing.assert_allclose(targets.std(axis=0), 1.0, atol=1e-13)
    spread = OWN.train_labels.std(axis=0)
    expected = (OWN.test_labels - OWN.train_labels.mean(axis=0)) / spread
    np.testing.assert_allclose(OWN.targets("test", "float64"), expected, rtol=1e-12)
    rows, values = curved()
    plain = from_arrays(rows, values, standardised=False)
    assert np.array_equal(plain.targets("train", "float64"), plain.train_labels)
    assert (plain.outputs, plain.classes, len(plain.targets("train", "float32", 3))) == (2, 0, 3)
    given = from_arrays(rows, values[:, 0], rows[:5], values[:5, 0])
    assert (given.outputs, len(given.train_labels), len(given.test_labels)) == (1, 200, 5)
    assert given.digest != from_arrays(rows, values[:, 1], rows[:5], values[:5, 1]).digest
    with pytest.raises(DataError, match="targets are too large for float32"):
        from_arrays(rows, values * 1e80, standardised=False).targets("train", "float32")


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (([[1.0], [2.0]], [0.5, np.nan]), "targets must be finite"),
        (([[1.0], [2.0]], [0.5]), "2 rows but 1 targets"),
        (([[1.0], [2.0], [3.0]], [0.5, 0.5, 0.5]), "targets of the training set are all equal"),
        (([[1.0], [2.0]], np.zeros((2, 1, 1))), r"float64 targets of shape \(2, 1, 1\)"),
        (([[1.0], [2.0]], np.zeros((2, 0))), r"float64 targets of shape \(2, 0\)"),
        (([[1.0], [2.0]], [0.5, 1.0], [[1.0]], [1]), "int64 targets"),
        (([[1.0], [2.0]], [0.5, 1.0], [[1.0]], [[1.0, 2.0]]), "differ in their targets"),
        (([[1.0]], [0.5]), "all equal|no rows"),
    ],
)
def test_what_are_no_values_is_refused(arrays, reason):
    with pytest.raises(DataError, match=reason):
        from_arrays(*arrays)


def test_names_of_runs_of_classes_stay_and_other_losses_are_of_a_new_schema():
    plain, squared = Experiment(), Experiment(loss="squared_error")
    assert "loss" not in plain.to_dict()
    assert (plain.to_dict()["schema"], squared.to_dict()["schema"]) == (3, 4)
    for one in (plain, squared):
        assert Experiment.from_json(one.to_json()) == one
    assert plain.to_dict() | {"schema": 4, "loss": "squared_error"} == squared.to_dict()
