"""Hostile command lines: one line on stderr, and the exit codes of the README, never 70."""

import concurrent.futures
import contextlib
import io
import json
import os
import random
import re

import numpy as np
import pytest
from hostile import trials

from initperf import cli, data
from initperf._core import reading
from initperf.data import Dataset

CODES = {0, 1, 2, 3, 4}

WORDS = [
    *("", " ", "-", "--", "=", ",", "-,", "x", "-5", "0", "1", "3", "1.5", "1e3", "1e400", "nan"),
    *("inf", "-inf", "9" * 30, "9" * 400, "-" * 5000 + "5", "1_0", "٣", "0x10", "1,2", "1-2"),
    *("0-4", "4-0", "30x64", "64,64", "64-64", "2x", "x2", "1--2", "[1", "{}", "None", "'a'"),
    *("he_normal", "he_norml", "fixup", "relu", "relo", "float16", "numpy", "step", "adam"),
    *("a\nb", "\x1b[31mred\x1b[0m", "é", "\udcff", "\u202e", "a" * 5000, "~nouser", "~", "."),
    *("/proc/nowhere", "/dev/null", "/dev/full", "none.json", "none.npy", "w.npy", "$HOME", "%s"),
    *("--json", "--help", "--set", "gain=", "gain=2", "gain=" + "9" * 400, "value=1e16", "mode=x"),
    *("gain=" + "-" * 5000 + "1", "gain=[[[[", "=", "sparsity=2", "--seed", "--dtype", "--nope"),
    *("--traceback", "--version", "--out", "--data-dir", "--hidden", "--residual", "--no-such"),
]

SMALL = ["--backend=numpy", "--dataset=mnist_5k", "--epochs=1", "--hidden=4", "--record=none"]

LINES = [
    ["list"],
    ["list", "activations", "--json"],
    ["list", "--activation", "relu"],
    ["info", "he_normal", "30", "20"],
    ["info", "constant", "3", "3", "--set", "value=2"],
    ["info", "mup", "8", "8", "4", "--seed", "1", "--json"],
    ["info", "fixup", "8", "8", "8", "4", "--residual"],
    ["data", "--json"],
    ["data", "fetch", "mnist_5k"],
    ["draw", "he_normal", "30", "20", "--seed", "1"],
    ["draw", "he_normal", "30", "20", "--backend", "numpy", "--out", "w.npy"],
    ["draw", "orthogonal", "8", "8", "--dtype", "float64", "--stream", "3", "--set", "gain=2"],
    ["train", *SMALL, "--seed", "1"],
    ["train", *SMALL, "--initializer", "lsuv", "--activation", "tanh", "--out", "runs"],
    ["train", *SMALL, "--optimizer", "adam", "--betas", "0.9,0.99", "--learning-rate", "0.1"],
    ["train", *SMALL, "--schedule", "cosine", "--warm-up-steps", "3", "--clip-norm", "1"],
    ["sweep", *SMALL, "--seed", "0,1", "--workers", "1", "--json"],
    ["sweep", *SMALL, "--initializer", "zeros,fixup", "--histogram-steps", "1"],
    ["compare", "old.json", "new.json"],
    ["compare", "old.json", "damaged.json", "--json"],
    ["complete", "bash"],
    ["profile", "nothing_like_it", "--seconds", "0.1"],
    ["profile", "draw", "he_norml", "8", "8", "--seed", "1"],
    ["report", "--seeds", "0", "--quick", "--out", "report"],
    ["bench", "--filter", "nothing like it"],
    ["runs", "runs", "--where", "seed<9", "--json"],
    ["runs", "runs", "--export", "runs.csv", "--rows", "epochs"],
    ["runs", "runs", "--merge", "runs"],
    ["sweep", "grid.toml", "--dry-run", "--json"],
    ["reproduce", "born_ded", "--quick", "--workers", "1"],
    ["recommend", "--activation", "gelu", "--depth", "30", "--optimizer", "adam", "--json"],
    ["recommend", "--activation", "relu", "--depth", "5", "--from", "trials.csv"],
    ["recommend", "--against", "trials.csv"],
    ["map", "--quick", "--dry-run", "--activation", "tanh", "--out", "map", "--json"],
    ["depths", "--dry-run", "--initializers", "he_normal,zeros", "--depth", "2,5", "--json"],
    ["compare", "old.json", "new.json", "--markdown", "--threshold", "a=10"],
    ["history", "kept", "--json"],
    ["history", "kept", "--add", "old.json", "--commit", "a1"],
    ["check", "json:loads", "--batch", "w.npz", "--loss", "cross_entropy"],
    ["draw", "--model", "json:loads", "--recipe", "gpt2", "--plan"],
    [],
]

DAMAGE = [
    *(b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"benchmarks": 5}', b"NaN"),
    *(b'{"benchmarks": []}', b'{"benchmarks": [5]}', b'{"benchmarks": [{"fullname": 5}]}'),
]


def benchmarks(**changed):
    """Return a file of pytest-benchmark with three benchmarks, the first of which is changed."""
    rows = [
        {
            "fullname": f"bench/bench_x.py::test_x[{name}]",
            "name": name,
            "stats": {"median": 1e-3, "iqr": 1e-5, "rounds": 20},
            "extra_info": {},
        }
        for name in "abc"
    ]
    rows[0]["stats"] |= changed
    return json.dumps({"benchmarks": rows, "machine_info": {}}).encode()


DAMAGE += [
    benchmarks(**{key: value}).replace(b'"1e400"', b"1e400")
    for key in ("median", "iqr", "rounds", "data")
    for value in (None, "x", "1e400", float("nan"), -1.0, 10**30, [], {}, ["x"], True, 0)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory, blobs):
    """Work in an empty directory, with a data set that trains in a moment."""
    before, directory = os.getcwd(), tmp_path_factory.mktemp("hostile")
    small = Dataset(
        blobs.train_images[:40],
        blobs.train_labels[:40],
        blobs.test_images[:20],
        blobs.test_labels[:20],
        "mnist_5k",
        "made by a test",
    )
    (directory / "old.json").write_bytes(benchmarks())
    (directory / "new.json").write_bytes(benchmarks(median=2e-3))
    (directory / "runs").mkdir()
    (directory / "grid.toml").write_text(
        'backend = "numpy"\ndataset = "mnist_5k"\nepochs = 1\nhidden = ["4", "8-8"]\n'
    )
    load = data.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            data,
            "load",
            lambda name="mnist", where=None, **options: (
                small if name == "mnist_5k" and not where else load(name, where, **options)
            ),
        )
        patch.setenv("INITPERF_DATA", str(directory / "nowhere"))
        os.chdir(directory)
        yield directory
        os.chdir(before)


def run(words):
    """Return (exit code, standard output, standard error) of a command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    return code, out.getvalue(), err.getvalue()


def check(words):
    told = ascii(words)[:300]
    code, out, err = run(words)
    assert code in CODES, f"{told}: exit {code}: {err}"
    if code in (2, 3):
        lines = [line for line in err.splitlines() if not line.startswith("training: ")]
        notices = ("initperf: left out: ", "initperf sweep: left out: ")
        lines = [line for line in lines if not line.startswith(notices)]
        shown = [line for line in lines if "--traceback" not in words or "initperf: " in line]
        assert len(shown) == 1 or "--traceback" in words, f"{told}: {err}"
        assert lines[-1].startswith("initperf: "), f"{told}: {err}"
        assert len(lines[-1]) <= 2100, f"{told}: {err}"
        assert "\x1b" not in lines[-1], told
    if "--json" in words and code in (0, 1, 4) and not {"--help", "--version"} & set(words):
        json.loads(out, parse_constant=lambda name: pytest.fail(f"{told}: bare {name}"))


@trials(150)
def test_hostile_command_lines_end_in_one_line(place, trial):
    rng = random.Random(trial)
    words = list(rng.choice(LINES))
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(words) + 1)
        word = rng.choice(WORDS)
        choice = rng.random()
        if choice < 0.5 and at < len(words):
            words[at] = word
        elif choice < 0.65 and at < len(words) and "=" in words[at]:
            words[at] = f"{words[at].partition('=')[0]}={word}"
        elif choice < 0.75 and at < len(words):
            del words[at]
        else:
            words.insert(at, word)
    long = ("bench", "report", "profile", "doctor", "warmup", "reproduce")
    planned = {"map", "depths"} & set(words[:1]) and "--dry-run" not in words
    if planned or "--measure" in words or (words and words[0] in long):
        words.append("--no-such-option")  # these would take minutes
    if "fetch" in words:
        words[-1:] = ["no_such_data"]
    check(words)


@trials(60)
def test_damaged_benchmark_files_end_in_one_line(place, trial):
    rng = random.Random(trial)
    content = bytearray(rng.choice(DAMAGE) if rng.random() < 0.6 else benchmarks())
    for _ in range(rng.choice((0, 0, 1, 3))):
        if content:
            content[rng.randrange(len(content))] = rng.randrange(256)
    (place / "damaged.json").write_bytes(content)
    names = ["damaged.json", "old.json"]
    rng.shuffle(names)
    check(["compare", *names, *rng.choice(([], ["--json"]))])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["draw", "he_normal", "10000000", "10000000"], 2, "must fit into memory"),
        (["draw", "he_normal", "3", "4", "--set", "gain=" + "9" * 400], 2, "gain must be below"),
        (["draw", "he_normal", "3", "4", "--set", "gain=" + "-" * 5000 + "1"], 2, "a number, not"),
        (["train", "--hidden=-5"], 2, "hidden must be integers of at least 1"),
        (["train", "--hidden", "100000000000", *SMALL[:3]], 2, "must fit into memory"),
        (["train", "--epochs", "9" * 30], 2, "epochs must be below 2**63"),
        (["train", "--hidden", "64,64"], 2, "--hidden takes one value here, integers of at least"),
        (["sweep", "--hidden", "64,64"], 2, "some twice: --hidden takes integers of at least 1"),
        (["sweep", "--seed", "0-999999999"], 2, "--seed must be a range as 0-4"),
        (["sweep", "--workers", "-1"], 2, "--workers: must be a positive integer, not '-1'"),
        (["sweep", "--workers", "0"], 2, "--workers: must be a positive integer, not '0'"),
        (["sweep", "--initializer", "fixup"], 2, "residual must be at least 1"),
        (["draw", "he_normal", "3", "4", "--dtype=,"], 2, "--dtype: invalid choice: ','"),
        (["train", "--data-dir=--"], 2, "--data-dir must have a value, not '--'"),
        (["compare", "old.json", "none.json"], 3, "cannot read none.json"),
        (["list", "a\nb"], 2, "invalid choice"),
        (
            ["train", "--out", "old.json", *SMALL],
            2,
            "old.json cannot be a directory of runs: File exists",
        ),
        (
            ["report", "--seeds", "1000000000"],
            2,
            "--seeds: must be an integer of at least 1 and at most",
        ),
        (["info", "torch.Linear", "8", "8", "8", "4", "--residual=-1"], 2, "non-negative"),
    ],
)
def test_what_was_once_a_traceback_is_one_line(place, words, code, message):
    found, out, err = run(words)
    assert (found, out) == (code, ""), err
    assert err.startswith("initperf: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_unforeseen_error_is_one_line_and_exit_70(monkeypatch, place):
    def fails(*arguments, **named):
        raise LookupError("two\nlines")

    monkeypatch.setattr("initperf.initializers.Initializer.__call__", fails)
    code, out, err = run(["draw", "he_normal", "3", "4"])
    assert (code, out) == (70, "")
    assert err.startswith(
        "initperf: an unforeseen error, a fault of initperf's: LookupError: two l"
    )
    assert err.count("\n") == 1
    code, _, err = run(["draw", "he_normal", "3", "4", "--traceback"])
    assert code == 70
    assert err.startswith("Traceback (most recent call last):")
    assert err.splitlines()[-1].startswith("initperf: an unforeseen error")


def test_what_is_not_known_is_null_in_json(place):
    """Of one round there is no interval, and of one benchmark no noise."""
    (place / "few.json").write_bytes(benchmarks(rounds=1, median=5e-3))
    code, out, _ = run(["compare", "old.json", "few.json", "--json"])
    rows = json.loads(out, parse_constant=lambda name: pytest.fail(f"bare {name}"))
    assert code in CODES
    assert any(value is None for row in rows for value in row.values())


def test_a_value_of_one_point_has_a_histogram(place):
    code, out, _ = run(["info", "constant", "3", "3", "--set", "value=1e16", "--json"])
    histogram = json.loads(out)["histogram"]
    assert (code, sum(histogram["counts"])) == (0, 9)
    assert np.all(np.diff(histogram["edges"]) > 0)


def test_layers_and_seeds_have_short_forms(place):
    code, out, _ = run(["sweep", *SMALL, "--hidden", "3x8,4-4", "--seed", "0-2", "--json"])
    rows = json.loads(out)
    assert code == 0
    assert [(row["hidden"], row["seed"]) for row in rows] == [
        (hidden, seed) for hidden in ("8-8-8", "4-4") for seed in (0, 1, 2)
    ]


def test_a_grid_shows_what_was_swept(place):
    code, out, _ = run(["sweep", *SMALL, "--learning-rate", "0.01,0.1", "--json"])
    assert (code, [row["learning_rate"] for row in json.loads(out)]) == (0, [0.01, 0.1])


def test_an_unsuitable_rule_is_left_out_of_a_grid(place):
    code, out, err = run(["sweep", *SMALL, "--initializer", "zeros,fixup", "--json"])
    assert (code, [row["initializer"] for row in json.loads(out)]) == (0, ["zeros"])
    assert "left out: fixup: fixup is for networks with residual blocks" in err


def test_names_of_every_kind_are_listed(place):
    for kind, name in (
        ("activations", "softplus"),
        ("optimizers", "adam"),
        ("schedules", "cosine"),
        ("datasets", "mnist_5k"),
    ):
        code, out, _ = run(["list", kind, "--json"])
        assert code == 0
        assert name in {row["name"] for row in json.loads(out)}


def test_help_shows_defaults_and_choices(place):
    _, out, _ = run(["draw", "--help"])
    text = " ".join(out.split())
    assert "number type (float32, float64, float16, bfloat16)" in text
    assert "number of the stream (default: 0)" in text
    assert text.count("default: None") == 0


@pytest.mark.parametrize(
    ("verb", "defaults"),
    [
        ("train", {"activation": "relu", "epochs": 10, "dataset": "mnist", "learning-rate": 0.1}),
        ("report", {"activations": "relu,tanh", "epochs": 5, "dataset": "mnist"}),
        ("map", {"activation": "tanh,relu,gelu", "epochs": 4, "learning-rate": 0.02}),
        ("depths", {"activations": "relu,tanh,gelu", "epochs": 3, "dataset": "mnist_5k"}),
    ],
)
def test_help_gives_the_defaults_of_the_verb(place, verb, defaults):
    _, out, _ = run([verb, "--help"])
    options = re.split(r"^  (?=-)", out.partition("settings of the runs:")[2] or out, flags=re.M)
    texts = {one.split()[0]: " ".join(one.split()) for one in options}
    for alias in [one for one in options if ", --" in one.partition("\n")[0]]:
        texts[alias.split()[2]] = texts[alias.split()[0]]
    for name, value in defaults.items():
        assert f"default: {value})" in texts[f"--{name}"], texts[f"--{name}"]
    searched = "--learning-rates" in texts
    assert ("default" in texts["--learning-rate"]) != searched


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="a device of POSIX systems")
@pytest.mark.parametrize(
    "words",
    [
        ["compare", "old.json", "/dev/zero"],
        ["history", "kept", "--add", "/dev/zero", "--commit", "a" * 7],
        ["recommend", "--activation", "relu", "--depth", "5", "--from", "/dev/zero"],
        ["sweep", "/dev/zero", "--dry-run"],
    ],
    ids=lambda words: words[0],
)
def test_a_file_without_end_is_one_line(place, words, monkeypatch):
    monkeypatch.setattr(reading, "MOST_CHARACTERS", 10_000)
    code, _, err = run(words)
    assert code in (2, 3)
    assert "longer than 10,000 characters" in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX systems")
def test_a_file_may_come_through_a_pipe(place, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = (place / "old.json").read_text()
    with concurrent.futures.ThreadPoolExecutor() as beside:
        beside.submit((tmp_path / "pipe").write_text, content)
        assert run(["compare", "old.json", str(tmp_path / "pipe")])[0] == 0
