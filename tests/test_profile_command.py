"""``initperf profile`` from its words to its files; with perf itself, see tests/perf."""

import json
import sys

import numpy as np
import pytest

from initperf import cli


def run(capsys, *words):
    try:
        code = cli.main(words)
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return code or 0, captured.out, captured.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fill_norml",), "did you mean 'fill_normal'"),
        (("fill_normal", "--dtype", "float16"), "choose from 'float32', 'float64'"),
        (("fill_normal", "--seconds", "0"), "must be a number above 0"),
        (("fill_normal", "--out", "file"), "must be a directory"),
        (("draw", "he_norml"), "did you mean 'he_normal'"),
        (("draw", "he_normal", "3"), "at least two axes"),
        (("draw", "he_normal", "3", "x"), "argument N: must be an integer, not 'x'"),
        (("draw",), "NAME"),
        (("train", "--activation", "relu,tanh"), "one value"),
        (("train", "--shape", "3"), "unrecognized"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    code, out, err = run(capsys, "profile", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_missing_data_are_exit_3(capsys, tmp_path):
    code, _, err = run(capsys, "profile", "train", "--data-dir", str(tmp_path / "nowhere"))
    assert code == 3
    assert "nowhere" in err


@pytest.mark.parametrize("target", ["fill_normal", "draw", "train"])
def test_each_target_explains_its_options(capsys, target):
    code, out, _ = run(capsys, "profile", target, "--help")
    assert code == 0
    assert out.startswith(f"usage: initperf profile {target}")
    assert ("--epochs" in out) == (target == "train")


@pytest.mark.slow
def test_a_kernel_is_profiled_without_perf(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # where there is no perf
    directory = tmp_path / "profile"
    words = ("squared_norm", "--seconds", "0.05", "--json", "--out", str(directory))
    code, out, _ = run(capsys, "profile", *words)
    assert code == 0
    found = json.loads(out)
    seconds = {row["phase"]: row["seconds"] for row in found["phases"]}
    assert seconds["compile"] > seconds["load compiled code instead"] > 0
    assert seconds["import"] > seconds["warm call"] > 0
    assert [row["pass"] for row in found["numba_passes"]].count("native_lowering") == 1
    assert any("Instruction Selection" in row["pass"] for row in found["llvm_passes"])
    # LLVM's passes run inside Numba's lowering
    lowering = next(r for r in found["numba_passes"] if r["pass"] == "native_lowering")
    assert 0 < sum(row["seconds"] for row in found["llvm_passes"]) < lowering["seconds"]
    (kernel,) = [row for row in found["code"] if row["function"].startswith("squared_norm(")]
    assert kernel["vector_bits"] >= 128
    assert kernel["libm_in_loops"] == []
    assert found["samples"] == []
    hint = "apt install linux-perf" if sys.platform.startswith("linux") else "Linux only"
    assert any(hint in note for note in found["notes"])
    assert {path.name for path in directory.iterdir()} == {
        "index.html",
        "trace.json",
        "profile.json",
    }
    events = json.loads((directory / "trace.json").read_text())["traceEvents"]
    assert {event["cat"] for event in events if event["ph"] == "X"} >= {"phase", "pass", "call"}
    assert len({event["pid"] for event in events}) == 2
    assert_valid_trace(events)


@pytest.mark.slow
def test_a_training_run_is_compiled_where_it_is_profiled(capsys, tmp_path, monkeypatch, blobs):
    monkeypatch.setenv("PATH", str(tmp_path))  # where there is no perf
    data = tmp_path / "data.npz"
    np.savez(data, X=blobs.train_images, y=blobs.train_labels)
    words = ("train", "--dataset", str(data), "--hidden", "8", "--epochs", "1")
    out = str(tmp_path / "profile")
    code, out, _ = run(capsys, "profile", *words, "--seconds", "0.05", "--json", "--out", out)
    assert code == 0
    found = json.loads(out)
    assert ", 1 epoch of " in found["title"]
    phases = [row["phase"] for row in found["phases"]]
    assert phases[:2] == ["import", "data"]
    assert {"warm call", "- steps", "- evaluation", "- draw", "- rest"} <= set(phases)
    assert phases.index("load compiled code instead") == phases.index("compile") + 1
    functions = {row["function"].partition("(")[0] for row in found["code"]}
    assert {"_steps", "forward", "backward", "fill_normal"} <= functions
    assert all(row["instructions"] > 0 for row in found["code"])
    events = json.loads((tmp_path / "profile" / "trace.json").read_text())["traceEvents"]
    assert_valid_trace(events)


def assert_valid_trace(events):
    """As the Trace Event Format has it: a thread's complete events lie in one another or apart."""
    open_until = {}
    for event in events:
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert event["ph"] in "MX"
        if event["ph"] == "M":
            assert event["args"]["name"]
            continue
        assert event["dur"] >= 0
        begin, end = event["ts"], event["ts"] + event["dur"]
        ends = open_until.setdefault((event["pid"], event["tid"]), [])
        while ends and ends[-1] <= begin:
            ends.pop()
        assert not ends or end <= ends[-1]
        ends.append(end)
