import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from initperf import INITIALIZERS, SCHEMES, cli, data, draw
from initperf._core.leaving import HURRIED
from initperf.report import tables as survey

CHILD = [sys.executable, "-c", "import sys; from initperf.cli import main; sys.exit(main())"]

ADVICE = ("recommend", "--activation", "relu", "--depth", "3")


def run(capsys, *words):
    """Return (exit code, standard output, standard error) of a command line."""
    try:
        code = cli.main(words)
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return code or 0, captured.out, captured.err


@pytest.mark.parametrize("verb", cli.verbs())
def test_every_verb_explains_itself(capsys, verb):
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    assert out.startswith(f"usage: initperf {verb}")


def test_help_names_every_verb(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert all(f"    {verb} " in out for verb in cli.verbs())


def test_help_is_a_word_too(capsys):
    assert run(capsys, "help", "list") == run(capsys, "list", "--help")
    assert run(capsys, "help") == run(capsys, "--help")
    assert run(capsys, "help", "lst")[2] == run(capsys, "lst", "--help")[2]
    for words in (("--traceback", "help", "list"), ("help", "--traceback", "list")):
        assert run(capsys, *words) == run(capsys, "list", "--help")
    code, out, err = run(capsys, "help", "list", "extra")
    assert (code, out, err) == (2, "", "initperf: help takes one verb, not 'list extra'\n")
    assert run(capsys, "hlep")[2] == "initperf: unknown verb 'hlep'; did you mean 'help'?\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lst",), "did you mean 'list'"),
        (("draw", "he_norml", "3", "4"), "did you mean 'he_normal'"),
        (("draw", "he_normal", "3"), "at least two axes"),
        (("draw", "he_normal", "-3", "4"), "negative"),
        (("draw", "he_normal", "x", "4"), "argument N: must be an integer, not 'x'"),
        (("draw", "he_normal", "3x4"), "not '3x4'; lengths are separated by spaces: 3 4;"),
        (("info", "he_normal", "(3,4)"), "; lengths are separated by spaces: 3 4;"),
        (("draw", "3", "4"), "NAME comes before the shape, as he_normal 784 256, not '3'"),
        (("profile", "draw"), "required: NAME;"),
        (("profile",), "required: TARGET;"),
        ((*ADVICE, "--learning-rates", "0.1"), "--learning-rates goes with --measure"),
        ((*ADVICE, "--initializer", "he_normal"), "--initializer goes with --measure"),
        (("draw", "he_normal", "3", "4", "--dtype", "float8"), "choose from"),
        (("draw", "lsuvv", "3", "4"), "did you mean 'lsuv'"),
        (("draw", "he_normal", "3", "4", "--out", "/nowhere/w.npy"), "/nowhere/w.npy"),
        (("draw", "he_normal", "3", "4", "--seed", "-1"), "non-negative"),
        (("draw", "LSUV", "3", "4"), "lsuv sets a whole network: initperf info lsuv shows one"),
        (("info", "nothing_like_it"), "unknown initializer"),
        (("info", "lsvu"), "did you mean 'lsuv'"),
        (("info", "fixup"), "residual must be at least 1"),
        (("info", "lsuv", "5"), "sizes must be"),
        (("info", "he", "--activation", "tanh"), "rules that set a whole network, "),
        (("info", "he", "--residual"), "rules that set a whole network, "),
        (("info", "lsuv", "9", "8", "8", "4", "--residual", "3"), "residual=3 needs 3 hidden"),
        (("train", "--residual", "-1"), "residual must be an integer of at least 0"),
        (("train", "--initializer", "fixup"), "residual must be at least 1"),
        (("info", "he_normal", "0", "4"), "without elements"),
        (("list", "--activation", "relo"), "did you mean 'relu'"),
        (("train", "--epochs", "0"), "epochs"),
        (("train", "--activation", "relu,tanh"), "sweep"),
        (
            ("train", "--learning-rate", "fast"),
            "learning_rate must be a number of at least 0, not 'fast'",
        ),
        (("sweep", "--seed", "0,x"), "seed must be an integer of at least 0, not 'x'"),
        (("train", "--momentum", "0.5"), "--momentum is a setting of momentum, nesterov, which"),
        (("train", "--optimizer", "adm"), "did you mean 'adam'"),
        (("train", "--no-such-option"), "unrecognized"),
        (("compare", "only-one.json"), "takes two files, OLD.json and NEW.json"),
        (("report", "--seeds", "0"), "at least 1"),
        (("report", "--initializers", "he_norml"), "did you mean 'he_normal'"),
        (("report", "--initializers", "he_normal,fixup"), "residual must be at least 1"),
        (("report", "--learning-rates", "0.1,-1"), "learning_rate must be a number of at least 0"),
        (("report", "--momentum", "0.5"), "--momentum is a setting of momentum, nesterov, which"),
        (("report", "--dataset", "mnist,mnist_5k"), "a report is of one data set"),
        (("complete", "fish"), "invalid choice: 'fish'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith("initperf")
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


READS = [
    ("compare", "nowhere", "nowhere"),
    ("data", "--data-dir", "nowhere"),
    ("depths", "--data-dir", "nowhere"),
    ("depths", "--dataset", "nowhere.csv"),
    ("history", "nowhere"),
    ("history", "h", "--commit", "abcdef1", "--add", "nowhere"),
    ("map", "--data-dir", "nowhere"),
    ("profile", "compare", "nowhere", "nowhere"),
    ("profile", "train", "--data-dir", "nowhere"),
    ("recommend", "--against", "nowhere"),
    (*ADVICE, "--measure", "--out", "kept", "--from", "nowhere"),
    (*ADVICE, "--measure", "--out", "kept", "--data-dir", "nowhere"),
    ("report", "--benchmarks", "nowhere"),
    ("report", "--data-dir", "nowhere"),
    ("report", "--figures", "nowhere"),
    ("report", "--from", "nowhere"),
    ("runs", "nowhere"),
    ("runs", ".", "--merge", "nowhere"),
    ("sweep", "--data-dir", "nowhere"),
    ("sweep", "nowhere.toml"),
    ("train", "--data-dir", "nowhere"),
    ("train", "--dataset", "nowhere.npz"),
    ("train", "--dataset", "~nowhere/x.csv"),
]
WRITES = [
    ("bench", "--save", "taken/x"),
    ("check", "m:f", "--batch", "b.npz", "--html", "taken/x.html"),
    ("data", "fetch", "mnist", "--to", "taken/x"),
    ("depths", "--export", "taken/x"),
    ("depths", "--out", "taken/x"),
    ("draw", "he_normal", "3", "4", "--out", "taken/x.npy"),
    ("draw", "--model", "m:f", "--recipe", "gpt2", "--out", "taken/x.safetensors"),
    ("history", "h", "--figure", "taken/x.svg"),
    ("map", "--out", "taken/x"),
    ("profile", "fill_normal", "--out", "taken/x"),
    ("profile", "compare", "a", "b", "--out", "taken/x"),
    (*ADVICE, "--measure", "--out", "taken/x"),
    ("report", "--out", "taken/x"),
    ("report", "--resume", "taken/x"),
    ("reproduce", "--out", "taken/x"),
    ("reproduce", "--page", "taken/x"),
    ("runs", ".", "--export", "taken/x.csv"),
    ("sweep", "--dataset", "mnist_5k", "--out", "taken/x"),
    ("train", "--dataset", "mnist_5k", "--out", "taken/x"),
    ("train", "--movie", "taken/x.gif"),
]


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_a_missing_file_to_read_is_one_line_and_exit_3(capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "nowhere" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", WRITES, ids=" ".join)
def test_output_that_cannot_be_written_is_exit_2_before_all_else(
    capsys, tmp_path, monkeypatch, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "taken" in err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_every_option_that_takes_a_path_is_tried():
    (verbs,) = [one for one in cli.parser_of_verbs()._actions if one.dest == "verb"]
    options = {
        (verb, option)
        for verb, parser in verbs.choices.items()
        for action in parser._actions
        if any(word in str(action.metavar) for word in ("DIR", "FILE"))
        for option in action.option_strings
    }
    tried = {(words[0], option) for words in (*READS, *WRITES) for option in words}
    assert options <= tried


def test_list_filters_by_activation(capsys):
    code, out, _ = run(capsys, "list", "--activation", "relu", "--json")
    names = {row["name"] for row in json.loads(out)}
    assert code == 0
    assert "he_normal" in names
    assert "glorot_normal" not in names


def test_draw_writes_the_weights_that_the_library_draws(capsys, tmp_path):
    path = tmp_path / "w.npy"
    words = ("draw", "glorot_uniform", "30", "20", "--seed", "5", "--dtype", "float64")
    code, out, _ = run(capsys, *words, "--out", str(path))
    assert code == 0
    assert "30 x 20" in out
    assert np.array_equal(np.load(path), draw("glorot_uniform", (30, 20), rng=5, dtype="float64"))


def test_draw_without_a_file_describes(capsys):
    code, out, _ = run(capsys, "draw", "zeros", "3", "4")
    assert (code, out) == (0, "zeros, 3 x 4, float32: mean 0, std 0, from 0 to 0\n")


def test_info_declares_and_measures(capsys):
    code, out, _ = run(capsys, "info", "xavier", "50", "30", "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["name"] == "glorot_normal"
    assert facts["declared std"] == pytest.approx((2 / 80) ** 0.5)
    assert sum(facts["histogram"]["counts"]) == 1500


def test_draw_calls_an_initializer_by_its_own_name(capsys):
    code, out, _ = run(capsys, "draw", "kaiming_normal", "30", "20", "--seed", "5")
    assert code == 0
    assert out.startswith("he_normal, 30 x 20")


def test_info_shows_residual_blocks_of_several_layers(capsys):
    words = ("info", "fixup", "20", *["16"] * 5, "10", "--residual", "2", "--json")
    code, out, _ = run(capsys, *words)
    facts = json.loads(out)
    assert code == 0
    assert facts["network"] == "relu, 2 residual blocks of 2 layers"
    stds = [row["weight_std"] > 0.0 for row in facts["layers"]]
    assert stds == [True, True, False, True, False, False]


def test_info_shows_a_network_that_a_scheme_has_set(capsys):
    words = ("info", "dynamic", "20", "16", "16", "10", "--activation", "tanh", "--residual")
    code, out, _ = run(capsys, *words, "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["name"], facts["network"]) == ("lsuv", "tanh, 1 residual block of 1 layer")
    assert [row["shape"] for row in facts["layers"]] == ["20 x 16", "16 x 16", "16 x 10"]
    assert all(row["preactivation_variance"] == pytest.approx(1.0) for row in facts["layers"])
    code, out, _ = run(capsys, "info", "torch.Linear", "20", "10")
    assert code == 0
    assert "20 x 10" in out


def test_train_says_what_is_wrong_with_data_that_a_scheme_looks_at(capsys, monkeypatch, blobs):
    images = blobs.train_images[np.zeros(300, int)]
    constant = dataclasses.replace(blobs, train_images=images)
    monkeypatch.setattr(data, "load", lambda *_, **_options: constant)
    code, out, err = run(capsys, "train", "--initializer", "lsuv", "--backend", "numpy")
    assert (code, out) == (2, "")
    assert "batch must hold at least two inputs that differ; all 300 are the same" in err


SMALL = ("--hidden", "16", "--epochs", "1", "--backend", "numpy", "--dataset", "mnist_5k")


def test_train_prints_and_keeps_a_run(capsys, tmp_path):
    code, out, _ = run(capsys, "train", *SMALL, "--out", str(tmp_path / "runs"), "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["status"] == "finished"
    assert row["test_accuracy"] > 0.5
    (steps,) = pd.read_parquet(tmp_path / "runs" / f"{row['run']}.parquet")["step_rows"]
    assert len(steps) == 32


def test_sweep_trains_a_grid(capsys, tmp_path):
    words = ("--initializer", "he_normal,zeros", "--seed", "0,1", *SMALL)
    code, out, _ = run(capsys, "sweep", *words, "--out", str(tmp_path / "runs"), "--json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["initializer"], row["seed"]) for row in rows] == [
        ("he_normal", 0),
        ("he_normal", 1),
        ("zeros", 0),
        ("zeros", 1),
    ]
    assert rows[0]["test_accuracy"] > rows[2]["test_accuracy"]


def test_data_lists_what_is_here(capsys):
    code, out, _ = run(capsys, "data", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["mnist_5k"]["train"] == 4000
    assert rows["mnist_5k"]["test"] == 1000


def test_data_that_is_not_here_stands_below_the_table_and_among_the_rows_of_json(
    capsys, monkeypatch
):
    (own,) = (row for row in data.available() if row["name"] == "mnist_5k")
    found = [{"name": "absent", "error": "it is nowhere"}, own]
    monkeypatch.setattr(data, "available", lambda directory: found)
    rows = json.loads(run(capsys, "data", "--json")[1])
    assert rows[0] == {"name": "absent", "source": "not here: it is nowhere"}
    assert list(rows[1]) == ["name", "train", "test", "sha256", "mean", "std", "source"]
    table, line = run(capsys, "data")[1].split("\n\n")
    assert (table.count("\n"), line) == (2, "absent: it is nowhere\n")
    found.pop()
    assert run(capsys, "data")[1] == "absent: it is nowhere\n"


BENCHMARKS = {
    "version": "5",
    "machine_info": {},
    "benchmarks": [
        {
            "name": f"test_works[fill_normal-{method}]",
            "fullname": f"bench/bench_works.py::test_works[fill_normal-{method}]",
            "group": "fill_normal",
            "stats": {"median": seconds, "iqr": seconds / 50, "rounds": 20, "min": seconds},
            "extra_info": {
                "kernel": "fill_normal",
                "method": method,
                "role": role,
                "size": "784 x 256",
                "values": 200_704,
                "dtype": "float32",
                "threads": 1,
                "limit_s": 1e-5,
                "limit": "plain stores, 1 thread",
            },
        }
        for method, role, seconds in (("NumPy", "rival", 2e-3), ("Numba, 1 thread", "ours", 2e-4))
    ],
}


def report_words(directory, benchmarks):
    return (
        "report",
        "--quick",
        "--backend=numpy",
        "--seeds=2",
        "--activations=relu",
        "--dataset=mnist_5k",
        "--initializers=small_random,he_normal",
        f"--out={directory}",
        f"--benchmarks={benchmarks}",
    )


@pytest.mark.slow
def test_report_writes_a_page_from_real_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "DEEP", (32,) * 4)
    benchmarks = tmp_path / "benchmarks.json"
    benchmarks.write_text(json.dumps(BENCHMARKS))
    directory = tmp_path / "report"
    code, out, err = run(capsys, *report_words(directory, benchmarks))
    assert (code, err.count("Traceback")) == (0, 0), err
    assert "4 runs" in out
    assert (directory / "index.html").is_file()
    runs = pd.read_parquet(directory / "tables" / "runs.parquet")
    assert len(runs) == 4
    assert set(runs["initializer"]) == {"he_normal", "small_normal"}
    assert set(runs["dataset_digest"]) == {"fe22ee7f1f987e27"}
    signal_rows = pd.read_parquet(directory / "tables" / "signal.parquet")
    assert len(signal_rows) == 2 * 4  # one seed, as --quick has it


@pytest.mark.slow
def test_report_answers_for_each_depth_with_schemes_at_their_best_rates(capsys, tmp_path):
    benchmarks = tmp_path / "benchmarks.json"
    benchmarks.write_text(json.dumps(BENCHMARKS))
    directory = tmp_path / "report"
    words = (
        "report",
        "--quick",
        "--backend=numpy",
        "--seeds=2",
        "--initializers=critical,he_normal,depth_scaled",
        "--activation=gelu",
        "--hidden=16-16,8-8-8-8",
        "--residual=0,1",
        "--learning-rates=0.003,0.1",
        "--dataset=mnist_5k",
        f"--out={directory}",
        f"--benchmarks={benchmarks}",
        "--title=How deep?",
    )
    code, _, err = run(capsys, *words)
    assert (code, err.count("Traceback")) == (0, 0), err
    tables = {path.stem: pd.read_parquet(path) for path in (directory / "tables").glob("*.parquet")}
    best = tables["recommendation"].groupby("setup")["initializer"].agg(set)
    # critical is for networks without residual blocks, depth_scaled for those with
    assert best.to_dict() == {
        f"{hidden}, {blocks}": {"he_normal", suited}
        for hidden in ("2 × 16", "4 × 8")
        for blocks, suited in (("no blocks", "critical"), ("blocks of 1", "depth_scaled"))
    }
    assert set(tables["unsuitable"]["initializer"]) == {"critical", "depth_scaled"}
    # the search has a seed of its own, and its best rate is that of the runs
    rates = tables["rates"]
    assert set(rates["seed"]) == {2}
    assert len(rates) == 4 * 2 * 2
    chosen = rates[rates["best"]].set_index(["initializer", "setup"])["learning_rate"]
    runs = tables["runs"].set_index(["initializer", "setup"])
    assert set(runs["seed"]) == {0, 1}
    assert (runs["best_learning_rate"] == chosen.reindex(runs.index)).all()
    by_rate = rates.pivot_table("test_accuracy", ["initializer", "setup"], "learning_rate")
    assert (by_rate.idxmax(axis=1) == chosen.reindex(by_rate.index)).all()
    # what is sent through before training are the networks that were asked for
    assert tables["signal"].groupby("setup")["layer"].max().to_dict() == {
        setup: int(setup[0]) for setup in best.index
    }
    page = (directory / "index.html").read_text(encoding="utf-8")
    assert "<h1>How deep?</h1>" in page
    assert "For GELU (4\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}8, blocks of 1), " in page


def test_a_report_compares_each_rule_once_and_leaves_out_what_says_so():
    names = survey.distinct()
    assert {"zeros", "he_normal", "glorot_uniform", "orthogonal"} <= set(names)
    rules = [INITIALIZERS[name] for name in names]
    assert len(set(rules)) == len(rules)
    left_out = {name for name, rule in INITIALIZERS.items() if not rule.in_report}
    assert {"custom", "identity", "sparse"} <= left_out
    assert left_out.isdisjoint(names)
    assert {rule for rule in INITIALIZERS.values() if rule.in_report} == set(rules)


def test_report_refuses_a_directory_that_is_not_a_report(capsys, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    code, _, err = run(capsys, "report", "--out", str(tmp_path))
    assert code == 2
    assert "thesis.tex" in err
    assert (tmp_path / "thesis.tex").read_text() == "precious"


@pytest.mark.slow
def test_interrupted_report_exits_130_and_leaves_nothing(tmp_path):
    command = [*CHILD, "report", "--backend=numpy", "--out=report"]
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stderr is not None
        first = child.stderr.readline()  # the first news of progress: it is at work
        time.sleep(0.5)
        os.kill(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=300)
    finally:
        child.kill()
    assert child.returncode == 130, first + err
    assert err.splitlines()[-1] == "initperf: interrupted"
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_help_and_unknown_options_load_nothing_heavy():
    code = (
        "import sys, initperf, initperf.cli\n"
        "heavy = {'numba', 'numpy', 'pandas', 'matplotlib', 'scipy', 'sklearn', 'rich'}\n"
        "for words in (['--help'], ['doctor', '--hidden', '6'], ['train', '--help']):\n"
        "    try: initperf.cli.main(words)\n"
        "    except SystemExit: pass\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # the settings of optimizers and schedules are options of train: their records use NumPy
    imported = [line for line in child.stderr.splitlines() if line.startswith("[")]
    assert imported == ["[]", "[]", "['numpy']"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dr", {"draw"}),
        ("draw he_", {"he_normal", "he_uniform"}),
        ("info kaiming_", {"kaiming_normal", "kaiming_uniform"}),
        ("list --activation so", {"softplus"}),
        ("train --initializer ortho", {"orthogonal", "orthogonal_initializer"}),
        ("train --optimizer a", {"adam", "adamw"}),
        ("report --dataset mnist_", {"mnist_5k", "mnist_full"}),
        ("draw he_normal 3 4 --dt", {"--dtype"}),
    ],
)
def test_bash_completes_verbs_options_and_names(capsys, tmp_path, words, expected):
    code, script, _ = run(capsys, "complete", "bash")
    assert code == 0
    (tmp_path / "completion.bash").write_text(script, encoding="utf-8")
    ask = (
        "source completion.bash; COMP_WORDS=(initperf $1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
        '_shtab_initperf; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "-c", ask, "bash", words]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) == expected
    assert found.stderr == ""


def test_zsh_is_told_the_same_names(capsys):
    code, script, _ = run(capsys, "complete", "zsh")
    assert code == 0
    assert script.startswith("#compdef initperf")
    names = INITIALIZERS.names()
    assert script.count(f"({' '.join(names)})") == 1  # draw
    both = sorted((*names, *SCHEMES.names()))
    assert (
        script.count(f"({' '.join(both)})") == 6
    )  # depths, info, recommend, report, sweep and train


def test_a_closed_pipe_is_no_error():
    command = " ".join(f"'{word}'" for word in [*CHILD, "list"]) + " | head -1"
    child = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert child.stdout.startswith("name")
    assert child.stderr == ""


def test_parameters_of_a_rule_can_be_set(capsys, tmp_path):
    path = tmp_path / "w.npy"
    given = ["--set", "gain=2", "--set", "mode=fan_out", "--out", str(path)]
    assert cli.main(["draw", "he_normal", "30", "20", "--seed", "1", *given]) == 0
    expected = draw("he_normal", (30, 20), rng=1, gain=2, mode="fan_out")
    np.testing.assert_array_equal(np.load(path), expected)
    assert cli.main(["info", "constant", "3", "2", "--set", "value=-0.5", "--json"]) == 0
    assert '"declared mean": -0.5' in capsys.readouterr().out
    assert cli.main(["info", "mup", "--set", "base_width=64"]) == 0


@pytest.mark.parametrize("verb", ["draw", "info"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["gian=2"], "he_normal has no parameter 'gian'; it has "),
        (["gain=two"], "gain must be a number, not 'two'"),
        (["gain"], "--set must be PARAMETER=VALUE, as gain=2, not 'gain'"),
        (["gain=1", "gain=2"], "--set gives gain twice"),
    ],
)
def test_parameters_that_a_rule_does_not_take_are_a_fault_of_usage(capsys, verb, given, message):
    options = [part for text in given for part in ("--set", text)]
    assert cli.main([verb, "he_normal", "3", "2", *options]) == 2
    assert message in capsys.readouterr().err


def _at(kind, path):
    if kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("directory", "Is a directory"), ("pipe", "not a regular file, and not replaced")],
)
@pytest.mark.parametrize(
    "words",
    [
        ("draw", "he_normal", "3", "4", "--out", "d.npy"),
        ("draw", "--model", "m:f", "--recipe", "gpt2", "--out", "d.safetensors"),
        ("bench", "--save", "d.json"),
        ("reproduce", "--page", "d.md"),
        ("depths", "--export", "d.csv"),
        ("check", "m:f", "--batch", "b.npz", "--html", "d.html"),
        ("train", "--movie", "d.gif"),
        ("runs", ".", "--export", "d.csv"),
        ("history", "h", "--figure", "d.svg"),
    ],
    ids=lambda words: words[0],
)
def test_what_cannot_be_replaced_by_a_file_is_refused_before_all_else(
    capsys, tmp_path, monkeypatch, words, kind, reason
):
    monkeypatch.chdir(tmp_path)
    _at(kind, tmp_path / words[-1])
    assert run(capsys, *words) == (2, "", f"initperf: {words[-1]}: {reason}\n")
    assert [path.name for path in tmp_path.iterdir()] == [words[-1]]
    assert not (tmp_path / words[-1]).is_file()


def test_draw_follows_a_link(capsys, tmp_path):
    (tmp_path / "link.npy").symlink_to(tmp_path / "real.npy")
    assert run(capsys, "draw", "he_normal", "3", "4", "--out", str(tmp_path / "link.npy"))[0] == 0
    assert (tmp_path / "link.npy").is_symlink()
    assert np.load(tmp_path / "real.npy").shape == (3, 4)


def test_ctrl_c_in_a_verb_within_a_program_does_not_hurry_its_end(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("initperf.cli.list.run", interrupted)
    assert cli.main(["list"]) == 130
    assert not HURRIED.is_set()
    assert capsys.readouterr().err == "initperf: interrupted\n"
