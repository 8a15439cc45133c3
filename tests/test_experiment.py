import dataclasses
import json

import pytest

from initperf import Experiment
from initperf.experiment import grid


def test_names_are_held_in_canonical_form():
    experiment = Experiment(initializer="Kaiming Normal", activation="logistic", hidden=[8, 4])
    assert experiment == Experiment(initializer="he_normal", activation="sigmoid", hidden=(8, 4))
    assert hash(experiment) == hash(experiment.replace())


def test_the_name_depends_on_every_field_the_data_and_the_stream():
    experiment = Experiment()
    names = {experiment.name("a", 1), experiment.name("b", 1), experiment.name("a", 2)}
    for field, value in {
        "initializer": "zeros",
        "activation": "tanh",
        "hidden": (3,),
        "dataset": "mnist_5k",
        "epochs": 2,
        "batch_size": 7,
        "learning_rate": 0.2,
        "schedule": "triangular",
        "clip_norm": 1.0,
        "seed": 1,
        "dtype": "float64",
        "backend": "numpy",
        "record": "epoch",
    }.items():
        names.add(experiment.replace(**{field: value}).name("a", 1))
    unchangeable = {"optimizer"}  # there is but one
    assert len(names) == 3 + len(dataclasses.fields(Experiment)) - len(unchangeable)


def test_json_gives_the_experiment_back():
    experiment = Experiment(hidden=(5, 6), clip_norm=0.5)
    assert Experiment(**json.loads(experiment.to_json())) == experiment


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("initializer", "he_norml"),
        ("activation", "rleu"),
        ("hidden", (8, 0)),
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", 0),
        ("learning_rate", -0.1),
        ("learning_rate", float("nan")),
        ("optimizer", "sdg"),
        ("schedule", "cosin"),
        ("clip_norm", 0.0),
        ("seed", -1),
        ("dtype", "float16"),
        ("backend", "numpi"),
        ("record", "steps"),
    ],
)
def test_what_cannot_be_is_refused_when_built(field, value):
    with pytest.raises(ValueError, match=rf"{field}|did you mean"):
        Experiment(**{field: value})


def test_a_grid_is_the_product_of_its_lists():
    made = list(grid(initializer=["zeros", "he_normal"], seed=[0, 1, 2], epochs=3))
    assert len(made) == 6
    assert made[1] == Experiment(initializer="zeros", seed=1, epochs=3)
