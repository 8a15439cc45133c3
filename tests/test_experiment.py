import argparse
import copy
import json
from dataclasses import dataclass

import pytest

from initperf import OPTIMIZERS, SCHEDULES, Experiment
from initperf._core.schema import setting
from initperf.cli._settings import add_training, experiments
from initperf.errors import PluginError, UsageError
from initperf.training.experiment import settings
from initperf.training.parts import Data, Network
from initperf.training.schedules import Schedule


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
        "loss": "squared_error",
    }.items():
        user = users.get(field, {})
        names.add(experiment.replace(**user, **{field: value}).name("a", 1, 1))
        if user:  # and without its user it makes no difference
            assert experiment.replace(**{field: value}) == experiment
    assert len(names) == 4 + len(settings())


def test_json_gives_the_experiment_back():
    experiment = Experiment(hidden=(5, 6), clip_norm=0.5, optimizer="adam", betas=(0.5, 0.9))
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert json.loads(experiment.to_json())["optimizer"] == {
        "name": "adam",
        "weight_decay": 0.0,
        "betas": [0.5, 0.9],
        "epsilon": 1e-8,
    }


def test_the_flat_form_of_the_first_schema_is_read():
    flat = {"hidden": [5], "optimizer": "momentum", "momentum": 0.8, "betas": [0.9, 0.999]}
    told = Experiment(hidden=(5,), optimizer="momentum", momentum=0.8)
    assert Experiment.from_dict(flat) == told


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"schema": 5}, "of schema 5, and this initperf reads 1 to 4"),
        ({"hiden": [5]}, "no setting 'hiden'; did you mean 'hidden'"),
        (Experiment().to_dict() | {"network": {"depth": 2}}, "depth"),
        (Experiment().to_dict() | {"optimizer": {"name": "lion"}}, "unknown optimizer 'lion'"),
        (Experiment().to_dict() | {"optimizer": {"name": "sgd", "momentum": 0.5}}, "momentum"),
        ({"schema": 2}, "not an experiment of schema 2"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(made, reason):
    with pytest.raises(ValueError, match=reason):
        Experiment.from_dict(made)


def test_flat_names_reach_into_the_records():
    experiment = Experiment("zeros", "tanh", hidden=(5,), optimizer="adam", epsilon=1e-7)
    assert experiment.optimizer == OPTIMIZERS["adam"].replace(epsilon=1e-7)
    assert experiment.epsilon == experiment.optimizer.epsilon
    assert experiment.hidden == experiment.network.hidden == (5,)
    assert experiment == Experiment(
        initializer="zeros", network=Network("tanh", (5,)), optimizer=experiment.optimizer
    )
    assert Experiment(network=experiment.network, hidden=(7,)).network == Network("tanh", (7,))
    assert experiment == Experiment(**experiment.flat())
    assert not hasattr(experiment, "momentum")
    assert copy.deepcopy(experiment) == experiment


def test_another_optimizer_keeps_what_both_have_and_was_chosen():
    experiment = Experiment(optimizer="momentum", momentum=0.8, weight_decay=0.1)
    assert experiment.replace(optimizer="nesterov").momentum == 0.8
    assert experiment.replace(optimizer="nesterov", momentum=0.7).momentum == 0.7
    assert experiment.replace(optimizer="adam").weight_decay == 0.1
    assert experiment.replace(optimizer=OPTIMIZERS["adam"]).weight_decay == 0.0
    # of two defaults that differ, the one of the optimizer that comes
    assert Experiment().replace(optimizer="adamw").weight_decay == 0.01
    assert experiment.replace(optimizer="adamw").weight_decay == 0.1
    assert Experiment(optimizer="adamw").replace(optimizer="adam").weight_decay == 0.0


def test_a_setting_that_no_record_has_is_told_the_nearest():
    with pytest.raises(TypeError, match="no setting 'lerning_rate'; did you mean 'learning_rate'"):
        Experiment(lerning_rate=0.1)
    with pytest.raises(TypeError, match="Sgd has no setting 'momentum'; it has weight_decay"):
        OPTIMIZERS["sgd"].replace(momentum=0.5)


def test_a_record_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="network must be a Network"):
        Experiment(network=Data())
    with pytest.raises(ValueError, match="optimizer must be one of adam"):
        Experiment(optimizer=SCHEDULES["constant"])


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
    # base_rate is compared with learning_rate where there is a base rate
    scheduled = {"schedule": "triangular"} if field == "base_rate" else {}
    with pytest.raises(ValueError, match=rf"{field}|did you mean"):
        Experiment(**{field: value}, **scheduled)


@pytest.mark.parametrize("declared", settings().values(), ids=settings())
def test_every_setting_has_help_and_reads_the_text_of_its_default(declared):
    assert declared.help
    if declared.default is not None:
        assert declared.parse(str(declared.text(declared.default))) == declared.default
        assert declared.check(declared.default) == declared.default
    with pytest.raises(ValueError, match=f"{declared.name} must be "):
        declared.check(object())


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
    lists = "--learning-rate 0.1,0.2 --hidden 8-4,6 --dtype float32,float64 --betas 0.8,0.9"
    made = experiments(parser.parse_args([*lists.split(), "--optimizer=adam"]))
    assert len(made) == 8
    assert {one.hidden for one in made} == {(8, 4), (6,)}
    assert {one.betas for one in made} == {(0.8, 0.9)}
    momenta = experiments(
        parser.parse_args(["--optimizer", "sgd,momentum", "--momentum", "0.5,0.6"])
    )
    assert [one.optimizer.name for one in momenta] == ["sgd", "momentum", "momentum"]
    with pytest.raises(UsageError, match="--momentum is a setting of momentum, nesterov, which"):
        experiments(parser.parse_args(["--momentum", "0.5"]))


def test_two_records_with_a_setting_of_the_same_name_are_refused(exchange):
    @dataclass(frozen=True)
    class Seeded(Schedule):
        seed: int = setting(0, "a seed of its own")

    exchange(SCHEDULES, "seeded", Seeded())
    with pytest.raises(PluginError, match="two parts of an experiment have a setting 'seed'"):
        settings()
