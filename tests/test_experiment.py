import argparse
import dataclasses
import json

import pytest

from initperf import Experiment
from initperf.cli._arguments import add_training, experiments
from initperf.training.experiment import grid


def test_names_are_held_in_canonical_form():
    experiment = Experiment(initializer="Kaiming Normal", activation="logistic", hidden=[8, 4])
    assert experiment == Experiment(initializer="he_normal", activation="sigmoid", hidden=(8, 4))
    assert hash(experiment) == hash(experiment.replace())


def test_the_name_depends_on_every_field_the_data_and_the_versions():
    experiment = Experiment()
    names = {
        experiment.name(*others) for others in [("a", 1, 1), ("b", 1, 1), ("a", 2, 1), ("a", 1, 2)]
    }
    users = {
        "momentum": {"optimizer": "nesterov"},
        "betas": {"optimizer": "adam"},
        "epsilon": {"optimizer": "adam"},
        "base_rate": {"schedule": "triangular"},
        "half_cycle": {"schedule": "triangular"},
        "warm_up_steps": {"schedule": "cosine"},
        "clip": {"clip_norm": 1.0},
    }
    for field, value in {
        "initializer": "zeros",
        "activation": "tanh",
        "hidden": (3,),
        "dataset": "mnist_5k",
        "epochs": 2,
        "batch_size": 7,
        "learning_rate": 0.2,
        "optimizer": "momentum",
        "momentum": 0.8,
        "betas": (0.8, 0.99),
        "epsilon": 1e-6,
        "weight_decay": 0.1,
        "schedule": "triangular",
        "base_rate": 0.01,
        "half_cycle": 10,
        "warm_up_steps": 5,
        "clip_norm": 1.0,
        "clip": "global",
        "biases": "constant",
        "residual": True,
        "seed": 1,
        "dtype": "float64",
        "backend": "numpy",
        "record": "epoch",
        "histogram_steps": (3,),
    }.items():
        user = users.get(field, {})
        names.add(experiment.replace(**user, **{field: value}).name("a", 1, 1))
        if user:  # and without its user it makes no difference
            assert experiment.replace(**{field: value}) == experiment
    assert len(names) == 4 + len(dataclasses.fields(Experiment))


def test_json_gives_the_experiment_back():
    experiment = Experiment(hidden=(5, 6), clip_norm=0.5, optimizer="adam", betas=(0.5, 0.9))
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
        ("clip", "all"),
        ("momentum", 1.0),
        ("betas", (0.9, 1.0)),
        ("betas", (0.9,)),
        ("epsilon", -1.0),
        ("weight_decay", -0.1),
        ("base_rate", 0.2),
        ("half_cycle", 0),
        ("warm_up_steps", -1),
        ("biases", "ones"),
        ("histogram_steps", (0,)),
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


def test_the_command_line_has_an_option_for_what_an_experiment_can_be():
    parser = argparse.ArgumentParser()
    add_training(parser, many=True)
    assert experiments(parser.parse_args([])) == [Experiment()]
    line = (
        "--optimizer momentum,adam --momentum 0.8 --weight-decay 0.1 --schedule cosine "
        "--base-rate 0.01 --warm-up-steps 7 --clip-norm 1 --clip global --biases constant "
        "--residual --histogram-steps 5,2"
    )
    told = Experiment(
        optimizer="momentum",
        momentum=0.8,
        weight_decay=0.1,
        schedule="cosine",
        base_rate=0.01,
        warm_up_steps=7,
        clip_norm=1.0,
        clip="global",
        biases="constant",
        residual=1,
        histogram_steps=(2, 5),
    )
    assert experiments(parser.parse_args(line.split())) == [told, told.replace(optimizer="adam")]
    made = experiments(parser.parse_args(["--schedule", "triangular", "--half-cycle", "9"]))
    assert made == [Experiment(schedule="triangular", half_cycle=9)]
