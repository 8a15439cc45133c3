"""Options that have no effect beside others, which verbs refuse before they begin."""

import argparse

import pytest

from initperf import cli
from initperf.cli._pairs import no_effect, without_effect
from initperf.cli._settings import experiments

ADVICE = ("recommend", "--activation", "relu", "--depth", "3")
AGAINST = ("recommend", "--against", "trials.csv")
MODEL = ("draw", "--model", "m:f", "--recipe", "gpt2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("bench", "--kernels", "--peers"), "--peers has no effect with --kernels"),
        (("compare", "a", "b", "--select", "x"), "--select goes with --base"),
        (("compare", "a", "b", "--passes", "3"), "--passes goes with --base"),
        (("compare", "a", "b", "--json", "--markdown"), "choose one of --json and --markdown"),
        (("data", "--data-dir", "d", "fetch", "mnist"), "fetch takes --to DIR, not --data-dir"),
        (("data", "--json", "fetch", "mnist"), "--json has no effect with fetch"),
        (("draw", "he", "3", "4", "--plan"), "--plan goes with --model"),
        (("draw", "he", "3", "4", "--json"), "--json goes with --model"),
        ((*MODEL, "--plan", "--stream", "0"), "--stream has no effect with --model"),
        ((*MODEL, "--plan", "--backend=numba"), "--backend has no effect with --model"),
        ((*MODEL, "--out", "m.safetensors", "--json"), "--json goes with --plan"),
        ((*MODEL, "--plan", "--seed", "1"), "--seed has no effect with --plan without --out"),
        (
            (*MODEL, "--plan", "--dtype", "float16"),
            "--dtype has no effect with --plan without --out",
        ),
        (("history", "h", "--commit", "HEAD"), "--commit goes with --add"),
        (
            ("profile", "--seconds", "3", "compare", "a", "b"),
            "--seconds has no effect with compare",
        ),
        ((*ADVICE, "--seeds", "3"), "--seeds goes with --measure"),
        ((*ADVICE, "--workers", "2"), "--workers goes with --measure"),
        ((*ADVICE, "--executor", "threads"), "--executor goes with --measure"),
        ((*ADVICE, "--scheduler", "tcp://h:1"), "--scheduler goes with --measure"),
        ((*ADVICE, "--time-budget", "9"), "--time-budget goes with --measure"),
        ((*ADVICE, "--data-dir", "d"), "--data-dir goes with --measure"),
        ((*AGAINST, "--activation", "relu"), "--activation has no effect with --against"),
        ((*AGAINST, "--width", "9"), "--width has no effect with --against"),
        ((*AGAINST, "--optimizer", "sgd"), "--optimizer has no effect with --against"),
        ((*AGAINST, "--measure"), "--measure has no effect with --against"),
        ((*AGAINST, "--seeds", "3"), "--seeds has no effect with --against"),
        (("report", "--from", "r", "--seeds", "3"), "draws what was measured; --seeds says what"),
        (("report", "--from", "r", "--resume", "d"), "draws what was measured; --resume says what"),
        (("report", "--from", "r", "--width", "3"), "draws what was measured; --width says what"),
        (("report", "--from", "r", "--set", "gain=2"), "draws what was measured; --set says what"),
        (("report", "--from", "r", "--target", "x"), "draws what was measured; --target says what"),
        (("report", "--from", "r", "--learning-rates", "1"), "; --learning-rates says what"),
        (("runs", "d", "--rows", "steps"), "--rows goes with --export"),
        (("runs", "d", "--export", "x.csv", "--json"), "--json has no effect with --export"),
        (("runs", "d", "--remove", "--where", "a=b", "--json"), "--json has no effect with --rem"),
        (("runs", "d", "--remove", "--where", ""), "--remove needs --where"),
        (
            ("sweep", "--scheduler", "tcp://h:1", "--executor", "threads"),
            "--executor has no effect with --scheduler",
        ),
        (
            ("map", "--scheduler", "tcp://h:1", "--workers", "2"),
            "--workers has no effect with --scheduler without --dry-run",
        ),
        (
            ("report", "--only", "weight_histograms", "--benchmarks", "t.csv"),
            "--benchmarks has no effect: no figure of --only needs timings",
        ),
        (
            ("report", "--only", "weight_histograms", "--epochs", "7"),
            "--epochs has no effect: no figure of --only needs runs",
        ),
        (
            ("report", "--only", "activation_variance", "--resume", "d"),
            "--resume has no effect: no figure of --only needs runs",
        ),
        (
            ("report", "--only", "weight_histograms", "--seeds", "3"),
            "--seeds has no effect: no figure of --only needs networks of several seeds",
        ),
        (("report", "--format", "png", "--title", "x"), "--title has no effect with --format=png"),
        (("train", "--clip", "global"), "--clip goes with --clip-norm"),
        (("sweep", "--clip", "global,layer"), "--clip goes with --clip-norm"),
        (
            ("train", "--initializer", "torch.Linear", "--biases", "zeros"),
            "--biases has no effect: torch.Linear sets biases of its own",
        ),
        (
            ("train", "--dataset", "table.CSV", "--data-dir", "."),
            "--data-dir is where data sets are found by name, and 'table.CSV' is a file",
        ),
    ],
)
def test_an_option_without_effect_is_refused(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("--initializer", "he_normal"), ("--activations", "relu")])
def test_kept_runs_are_chosen_by_initializer_and_activation(capsys, tmp_path, words):
    assert cli.main(["report", "--from", str(tmp_path), *words]) == 3
    assert capsys.readouterr().err.startswith(f"initperf: {tmp_path}")


@pytest.mark.parametrize(
    ("grid", "words", "message"),
    [
        ('clip = "layer"', (), "clip goes with clip_norm"),
        ('clip = "layer"', ("--clip", "global"), "--clip goes with --clip-norm"),
        (
            'biases = "zeros"\ninitializer = ["torch.Linear", "torch.Linear"]',
            (),
            "biases has no effect: torch.Linear sets biases of its own",
        ),
        ("momentum = 0.5\noptimizer = 'adam'", (), "momentum is a setting of"),
        (
            'dataset = ["t.csv", "t.csv#y"]',
            ("--data-dir", "."),
            "--data-dir is where data sets are found by name, and 't.csv' is a file",
        ),
    ],
)
def test_keys_of_a_grid_without_effect_are_refused_as_they_are_written(
    capsys, tmp_path, monkeypatch, grid, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text(grid)
    assert cli.main(["sweep", "grid.toml", *words]) == 2
    assert capsys.readouterr().err.startswith(f"initperf: {message}")


@pytest.mark.parametrize(
    "words",
    [
        ("--initializer", "he_normal,torch.Linear", "--biases", "zeros"),
        ("--dataset", "mnist,table.csv", "--data-dir", "."),
    ],
)
def test_a_setting_that_has_an_effect_on_one_experiment_is_taken(words):
    parser = cli.parser_of_verbs("sweep")
    assert len(experiments(parser.parse_args(["sweep", *words]))) == 2


@pytest.fixture
def parser():
    """Give a parser of a word and three options."""
    made = argparse.ArgumentParser()
    made.add_argument("kind", nargs="?")
    made.add_argument("--first", "--firsts", default=1)
    made.add_argument("--second", action="store_true")
    made.add_argument("--third", default="x")
    return made


def told(parser, *words):
    return without_effect(parser, words, parser.parse_args(words))


def test_options_are_given_by_any_spelling_and_by_their_default_value(parser):
    no_effect(parser, "--first", beside="--second")
    assert told(parser, "--firsts=1", "--second") == "--firsts has no effect with --second"
    assert told(parser, "--first", "2") == told(parser, "--second") == told(parser) == ""


def test_a_value_of_another_option_counts_where_it_is_said(parser):
    no_effect(parser, "--second", beside="--third=y")
    assert told(parser, "--second", "--third", "y") == "--second has no effect with --third=y"
    assert told(parser, "--second", "--third=y") == "--second has no effect with --third=y"
    assert told(parser, "--second", "--third", "x") == told(parser, "--second") == ""


def test_the_value_of_an_option_is_no_option(parser):
    no_effect(parser, "--second", beside="list")
    assert told(parser, "--first", "list", "--second") == ""
    assert told(parser, "list", "--second") == "--second has no effect with list"


def test_beside_and_without_hold_together(parser):
    no_effect(parser, "--first", beside="--second", without="--third", why="no {option} here")
    assert told(parser, "--first", "2", "--second") == "no --first here"
    assert told(parser, "--first", "2") == ""
    assert told(parser, "--first", "2", "--second", "--third", "x") == ""
