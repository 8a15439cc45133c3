"""The verbs map, depths and recommend: small runs from end to end, and bad input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from initperf import cli
from initperf.report.trainability import collection
from initperf.report.trainability.trial_files import read

SMALL = ["--dataset=t.csv", "--backend=numpy", "--batch-size=20", "--epochs=4"]
MAP = ["map", "--quick", *SMALL, "--activation=tanh", "--width=4", "--depth=1,4", "--workers=1"]
DEPTHS = [
    *("depths", *SMALL, "--initializers=he_normal,zeros", "--activation=relu", "--depth=1,2,4"),
    *("--width=8", "--learning-rates=0.001,0.1", "--seeds=2", "--workers=1"),
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Work in a directory with a small table of three classes, and no trials measured before."""
    monkeypatch.setattr(collection, "cache_directory", lambda name: tmp_path / name)
    rng = np.random.default_rng(1)
    labels = np.arange(90) % 3
    table = pd.DataFrame(rng.normal(size=(90, 4)) + 4.0 * np.eye(4)[labels], columns=list("abcd"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    table.assign(kind=labels).to_csv("t.csv", index=False)
    return work


def run(capsys, *words):
    code = cli.main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.slow
def test_a_map_is_trained_drawn_and_not_trained_again(place, capsys):
    code, out, err = run(capsys, *MAP, "--format=png", "--json")
    assert code == 0, err
    (row,) = json.loads(out)
    assert (row["activation"], row["width"], row["complete"]) == ("tanh", 4, True)
    image = place / "map" / "result" / "figures" / "trainability_map.png"
    assert image.stat().st_size > 10_000
    table = pd.read_parquet(place / "map" / "result" / "tables" / "trainability.parquet")
    assert len(table) == row["runs"]
    files = {path.name: path.stat().st_mtime_ns for path in Path("map/runs").glob("*.parquet")}
    code, out, _ = run(capsys, *MAP, "--format=png", "--json")
    assert code == 0
    assert json.loads(out) == [row]
    again = {path.name: path.stat().st_mtime_ns for path in Path("map/runs").glob("*.parquet")}
    assert again == files
    assert len(files) == row["runs"]


def test_a_map_that_runs_out_of_time_goes_on(place, capsys):
    code, _, err = run(capsys, *MAP, "--time-budget=0.000001")
    assert code == 0
    assert "the time budget ended with 0 runs" in err


def test_the_cost_of_a_map_is_planned_without_training(place, capsys):
    code, out, _ = run(capsys, *MAP, "--activation=tanh,tanh", "--dry-run", "--json")
    assert code == 0
    rows = json.loads(out)
    assert [row["activation"] for row in rows] == ["tanh", "all"]
    assert rows[0]["most_s"] > rows[0]["first_s"] > 0.0
    assert not Path("map").exists()


@pytest.mark.slow
def test_depths_are_measured_exported_and_answered_from(place, capsys):
    code, out, err = run(capsys, *DEPTHS, "--export=trials.csv", "--format=png", "--json")
    assert code == 0, err
    rows = json.loads(out)
    assert [row["initializer"] for row in rows] == ["he_normal", "zeros"]
    evidence = read("trials.csv")
    assert len(evidence.trials) == 2 * 3 * 4
    assert evidence.origin["commands"].startswith("initperf")
    _, out, _ = run(capsys, *DEPTHS, "--format=png")
    table, explained = out.split("\n\n")
    for name in ("depth", "low", "high", "bound", "level", "least", "greatest"):
        assert name in table.split("\n")[0].split()
        assert name in explained
    for name in ("depth_limits", "rate_ranges"):
        assert Path(f"depths/result/figures/{name}.png").stat().st_size > 10_000
    words = ("recommend", "--activation=relu", "--depth=1", "--width=8", "--from=trials.csv")
    code, out, _ = run(capsys, *words, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["setup"]["depth"] == 1
    assert answer["answer"][0]["initializer"] == "he_normal"
    assert "2 seeds only" in answer["remarks"]
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "thin evidence: 2 seeds only" in out
    assert out.startswith("relu, 1 hidden layer of 8 units, sgd:\n")
    code, out, _ = run(capsys, "recommend", "--against=trials.csv", "--from=trials.csv", "--json")
    assert code == 0
    assert {row["advised"] for row in json.loads(out) if row["depth"] == 1} == {"he_normal"}


def test_a_single_depth_has_no_limit(place, capsys):
    code, _, err = run(capsys, *DEPTHS, "--depth=2", "--learning-rates=0.1", "--format=png")
    assert code == 0
    assert "no limit to show: a limit needs at least two depths" in err


@pytest.mark.slow
def test_a_question_is_measured_and_kept(place, capsys):
    words = ("recommend", "--activation=tanh", "--depth=1", "--width=4", "--measure", "--seeds=2")
    words += ("--initializer=he_normal,lecun_normal", "--learning-rates=0.1", "--out=kept")
    code, out, err = run(capsys, *words, "--json")
    assert code == 0, err
    answer = json.loads(out)
    assert answer["setup"]["depth"] == 1
    assert {row["initializer"] for row in answer["answer"]} == {"he_normal", "lecun_normal"}
    code, out, _ = run(
        capsys, "recommend", "--activation=tanh", "--depth=1", "--out=kept", "--json"
    )
    assert code == 0
    assert json.loads(out)["answer"] == answer["answer"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("map", "--activation", "tahn"), "did you mean 'tanh'"),
        (("map", "--depth", "2"), "--depth must be two numbers"),
        (("map", "--depth", "100,2"), "must rise"),
        (("map", "--weight-variance", "4,0.5"), "must rise"),
        (("map", "--points", "3"), "points must be at least"),
        (("map", "--width", "0"), "hidden"),
        (("map", "--depth", "a,b"), "depths must be a positive integer and at most 10000, not 'a'"),
        (("map", "--weight-variance", "a,b"), "weight_variances must be"),
        (("map", "--learning-rate", "0.1,0.2"), "takes one value here"),
        (("map", "--set", "gain=2"), "--set is not for a map"),
        (("map", "--time-budget", "-1"), "must be a number above 0"),
        (("map", "--momentum", "0.5"), "--momentum is a setting of momentum, nesterov, which"),
        (("map", "--out", "t.csv"), "t.csv is a file"),
        (("depths", "--initializers", "he_norml"), "did you mean 'he_normal'"),
        (("depths", "--depth", "0"), "depth must be"),
        (("depths", "--seeds", "0"), "--seeds: must be an integer of at least 1"),
        (("depths", "--optimizer", "adm"), "did you mean 'adam'"),
        (("depths", "--learning-rates", "0"), "learning_rate must be positive"),
        (("depths", "--export", "nowhere/x.csv"), "in a directory that exists"),
        (("depths", "--set", "gain=2"), "--set is not for depths"),
        (("depths", "--weight-variance", "1"), "--weight-variance is not for depths"),
        (("recommend",), "--activation and --depth say what to answer for"),
        (("recommend", "--activation", "tahn", "--depth", "3"), "did you mean 'tanh'"),
        (("recommend", "--activation", "tanh", "--depth", "0"), "at least 1"),
        (("recommend", "--activation", "tanh", "--depth", "x"), "an integer"),
        (
            ("recommend", "--activation", "tanh", "--depth", "3", "--optimizer", "adm"),
            "did you mean 'adam'",
        ),
        (("recommend", "--activation", "tanh", "--depth", "3", "--dry-run"), "--measure"),
        (
            ("recommend", "--activation=tanh", "--depth=3", "--measure", "--initializer=he_norml"),
            "did you mean 'he_normal'",
        ),
        (
            ("recommend", "--activation=tanh", "--depth=3", "--measure", "--learning-rates=x"),
            "must be a number above 0",
        ),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(place, capsys, words, message):
    before = sorted(path.name for path in place.iterdir())
    try:
        code, out, err = run(capsys, *words)
    except SystemExit as end:
        code, (out, err) = end.code, capsys.readouterr()
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "heading"),
    [
        (("--depth=10",), "relu, 10 hidden layers, sgd:"),
        (("--depth=30",), "relu, 30 hidden layers, sgd, judged by runs of 40 hidden layers:"),
        (
            ("--depth=30", "--width=7"),
            "relu, 30 hidden layers of 7 units, sgd, judged by runs of 40 hidden layers of 100 "
            "units:",
        ),
        (
            ("--depth=3", "--optimizer=nesterov"),
            "relu, 3 hidden layers, nesterov, by theory alone:",
        ),
    ],
)
def test_the_heading_says_what_the_answer_is_of(place, capsys, words, heading):
    """Of the depths of the shipped table, 40 is nearest to 30 in ratio."""
    code, out, _ = run(capsys, "recommend", "--activation=relu", "--out=none", *words)
    assert (code, out.splitlines()[0]) == (0, heading)


@pytest.mark.parametrize(
    "words",
    [
        ("recommend", "--activation=tanh", "--depth=3", "--from=t.csv"),
        ("recommend", "--against=t.csv"),
    ],
)
def test_a_table_of_something_else_is_one_line_and_exit_3(place, capsys, words):
    code, out, err = run(capsys, *words)
    assert (code, out) == (3, "")
    assert "t.csv is no table of trials" in err
    assert err.count("\n") == 1
