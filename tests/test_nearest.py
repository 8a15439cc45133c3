"""Suggestions for names that were mistyped or abbreviated."""

import argparse

import pytest

import initperf
from initperf import cli
from initperf._core.nearest import nearest

OPTIONS = (
    "learning_rate",
    "weight_decay",
    "batch_size",
    "bias_variance",
    "loss",
    "help",
    "beta1",
    "movie",
    "warm_up_steps",
    "clip_norm",
    "record",
    "relu",
    "random_normal",
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lr", "learning_rate"),
        ("LR", "learning_rate"),
        ("wd", "weight_decay"),
        ("bs", "batch_size"),
        ("bv", "bias_variance"),
        ("batch", "batch_size"),
        ("weight-dec", "weight_decay"),
        ("be", "beta1"),
        ("rate", "learning_rate"),
        ("decay", "weight_decay"),
        ("los", "loss"),
        ("bias-varianse", "bias_variance"),
        ("hidden", None),
        ("lrs", "learning_rate"),
        ("lsos", "loss"),
        ("model", None),
        ("l", None),
        ("zzz", None),
        ("warmup", "warm_up_steps"),
        ("warmup-step", "warm_up_steps"),
        ("max_norm", "clip_norm"),
        ("dropout_rate", None),
        ("ReLu6", "relu"),
        ("randn", "random_normal"),
        ("Random-Norm", "random_normal"),
        ("size", None),
        ("hidden_size", None),
        ("no-record", None),
        ("recrod", "record"),
        ("--", None),
        ("", None),
    ],
)
def test_an_abbreviation_means_initials_a_beginning_or_a_word(typed, meant):
    assert nearest(typed, OPTIONS) == meant


def test_of_several_names_the_shortest_that_begins_so_or_the_first_is_meant():
    assert nearest("lr", ["lrs", "learning_rate"]) == "learning_rate"
    assert nearest("rate", ["rate_of_decay", "rates"]) == "rates"
    assert nearest("rate", ["learning_rate", "base_rate"]) == "learning_rate"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("train", "--lr", "0.1"), "; did you mean '--learning-rate'?"),
        (("train", "-lr", "0.1"), "; did you mean '--learning-rate'?"),
        (("train", "--wd=0.1"), "; did you mean '--weight-decay'?"),
        (("train", "--bs", "8"), "; did you mean '--batch-size'?"),
        (("report", "--init", "he"), "; did you mean '--initializer'?"),
        (("recommend", "--hidden", "64"), "; here --depth and --width take its place"),
        (("depths", "--hidden=64"), "; here --depth and --width take its place"),
        (
            ("map", "--initializer", "he"),
            "; here --weight-variance and --bias-variance take its place",
        ),
        (("train", "He_Normal"), "; did you mean '--initializer He_Normal'?"),
        (("train", "--size", "3"), ""),
        (("train", "--no-record"), ""),
        (("train", "--warmup", "3"), "; did you mean '--warm-up-steps'?"),
        (("train", "--max-norm=1"), "; did you mean '--clip-norm'?"),
        (("train", "tanh"), "; did you mean '--activation tanh'?"),
        (("train", "no_such_name"), ""),
        (("doctor", "--hidden", "64"), ""),
        (("info", "he_normal", "--quiet"), ""),
    ],
)
def test_an_unknown_option_names_the_one_that_means_it(capsys, words, meant):
    assert cli.main(words) == 2
    verb, *unknown = words[:2] if words[0] == "info" else (words[0],)
    typed = " ".join(words[1 + len(unknown) :])
    said = f"initperf: unrecognized arguments: {typed}{meant}; initperf {verb} --help says more\n"
    assert capsys.readouterr().err == said


def test_names_that_no_option_takes_are_no_hint(capsys):
    assert cli.main(["info", "lsuv", "3", "4", "--foo", "he_normal"]) == 2
    said = "initperf: unrecognized arguments: --foo he_normal; initperf info --help says more\n"
    assert capsys.readouterr().err == said


def test_what_begins_with_no_means_what_begins_so():
    assert nearest("no-bais", ["bias", "no_bias"]) == "no_bias"
    assert nearest("no", ["normal", "record"]) == "normal"


def test_settings_are_abbreviated_alike_in_python():
    with pytest.raises(TypeError, match="did you mean 'learning_rate'"):
        initperf.Experiment(lr=0.1)


def test_every_option_is_what_its_own_beginning_means():
    verbs = cli.parser_of_verbs()._subparsers._group_actions[0].choices
    assert verbs
    for parser in verbs.values():
        assert isinstance(parser, argparse.ArgumentParser)
        options = [one[2:] for one in parser._option_string_actions if one.startswith("--")]
        for option in options:
            found = nearest(option[:-1], options)
            assert found == option or option[:-1] in options or found.startswith(option[:-1])
