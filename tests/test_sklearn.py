"""scikit-learn's perceptrons begin at the weights that the library draws."""

import importlib

import numpy as np
import pytest
from sklearn import datasets, neural_network
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import initperf
import initperf.sklearn

X, Y = datasets.make_classification(60, 8, n_informative=5, n_classes=3, random_state=0)
OPTIONS = {"hidden_layer_sizes": (7, 5), "random_state": 3, "solver": "sgd", "tol": 0.0}
SIZES = {"MLPClassifier": (8, 7, 5, 3), "MLPRegressor": (8, 7, 5, 1)}

both = pytest.mark.parametrize("kind", SIZES)


def partial_fit(model, x):
    known = {"classes": [0, 1, 2]} if hasattr(model, "predict_proba") else {}
    return model.partial_fit(x, Y, **known)


@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_begins_at_the_weights_drawn(kind, dtype):
    # A step this small does not change a weight: what is left is where training began.
    model = getattr(initperf.sklearn, kind)(
        initializer="he_normal", learning_rate_init=1e-30, **OPTIONS
    )
    partial_fit(model, X.astype(dtype))
    shapes = list(zip(SIZES[kind], SIZES[kind][1:], strict=False))
    assert [w.shape for w in model.coefs_] == shapes
    for layer, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        drawn = initperf.draw("he_normal", weights.shape, rng=3, stream=layer, dtype=dtype)
        assert weights.dtype == dtype
        np.testing.assert_array_equal(weights, drawn)
        assert np.abs(bias).max() < 1e-28  # steps from 0 do show


@both
def test_the_first_step_is_that_of_scikit_learn_from_there(kind):
    # Its own estimator, put where ours begins, makes the same step: the batch is all of the data.
    step = {**OPTIONS, "learning_rate_init": 0.1, "batch_size": len(X), "momentum": 0.0}
    ours = partial_fit(getattr(initperf.sklearn, kind)(initializer="lecun", **step), X)
    theirs = getattr(neural_network, kind)(**{**step, "learning_rate_init": 1e-30})
    partial_fit(theirs, X)
    for layer, (weights, bias) in enumerate(zip(theirs.coefs_, theirs.intercepts_, strict=True)):
        initperf.draw("lecun", weights.shape, rng=3, stream=layer, out=weights)
        bias[:] = 0.0
    start = [w.copy() for w in theirs.coefs_]
    theirs._optimizer.learning_rate = 0.1
    partial_fit(theirs, X)
    for found, expected, begin in zip(ours.coefs_, theirs.coefs_, start, strict=True):
        assert np.abs(expected - begin).max() > 1e-4
        # the order of the rows in a batch differs, and with it the rounding of a sum of 60
        np.testing.assert_allclose(found, expected, rtol=0, atol=60 * np.finfo(float).eps)


@both
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_solver_trains_from_there(kind, solver):
    def fit(name):
        model = getattr(initperf.sklearn, kind)(
            initializer=name, max_iter=5, **{**OPTIONS, "solver": solver}
        )
        return model.fit(X, Y)

    weights = fit("he_normal").coefs_[0]
    assert np.array_equal(weights, fit("he_normal").coefs_[0])
    assert not np.allclose(weights, fit("glorot_uniform").coefs_[0])
    # From zeros, no gradient reaches the first layer through ReLU.
    assert not fit("zeros").coefs_[0].any()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_keeps_what_was_trained():
    model = initperf.sklearn.MLPClassifier(
        initializer="zeros", early_stopping=True, max_iter=3, **OPTIONS
    )
    assert not model.fit(X, Y).coefs_[0].any()


@both
def test_a_grid_search_and_a_clone_vary_the_initializer(kind):
    model = getattr(initperf.sklearn, kind)(
        max_iter=2, initializer_parameters={"gain": 2.0}, **OPTIONS
    )
    assert clone(model).get_params() == model.get_params()
    assert set(model.get_params()) == {
        *getattr(neural_network, kind)().get_params(),
        "initializer",
        "initializer_parameters",
    }
    assert "gain" in repr(model)
    with pytest.warns(Warning, match="Maximum iterations"):
        search = GridSearchCV(model, {"initializer": ["he_normal", "orthogonal"]}, cv=2).fit(X, Y)
    assert search.best_params_["initializer"] in ("he_normal", "orthogonal")


@pytest.mark.parametrize("state", [None, np.random.RandomState(0)])
def test_without_a_seed_layers_and_fits_differ(state):
    options = {**OPTIONS, "hidden_layer_sizes": (8, 8), "random_state": state}
    model = initperf.sklearn.MLPClassifier(learning_rate_init=1e-30, **options)
    one = partial_fit(model, X).coefs_
    two = partial_fit(clone(model), X).coefs_
    assert not np.array_equal(one[0], one[1])
    assert not np.array_equal(one[0], two[0])


def test_an_initializer_will_do_as_well_as_its_name():
    rule = initperf.INITIALIZERS["orthogonal"].replace(gain=2.0)
    model = initperf.sklearn.MLPRegressor(initializer=rule, learning_rate_init=1e-30, **OPTIONS)
    weights = partial_fit(clone(model), X).coefs_[0]
    np.testing.assert_allclose(np.linalg.svd(weights)[1], 2.0, rtol=1e-12)


@both
def test_what_cannot_be_is_refused(kind):
    make = getattr(initperf.sklearn, kind)
    with pytest.raises(ValueError, match="did you mean 'he_normal'"):
        make(initializer="he_norml").fit(X, Y)
    with pytest.raises(TypeError, match="orthogonal has no parameter 'gian'"):
        make(initializer="orthogonal", initializer_parameters={"gian": 1.0}).fit(X, Y)
    with pytest.raises(TypeError, match="hidden_layers"):
        make(hidden_layers=(3,))


def test_a_scikit_learn_without_the_hook_is_not_taken_silently(monkeypatch):
    base = neural_network.MLPClassifier.__mro__
    (home,) = [one for one in base if "_init_coef" in vars(one)]
    monkeypatch.delattr(home, "_init_coef")
    with pytest.raises(ImportError, match="has no method _init_coef"):
        importlib.reload(initperf.sklearn)
