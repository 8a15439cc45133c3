"""``initperf draw --model``: models into files of safetensors, and their plans."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch_models import gpt2, llama

from initperf import cli
from initperf.torch import init_

ROOT = Path(__file__).parents[2]


def run(capsys, *words):
    code = cli.main(["draw", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_model_is_written_whole(capsys, tmp_path):
    path = tmp_path / "model.safetensors"
    words = ("--model", "torch_models:gpt2", "--recipe", "gpt2", "--seed", "3", "--out", str(path))
    code, out, _ = run(capsys, *words)
    assert code == 0
    expected = init_(gpt2(), "gpt2", rng=3)
    assert out == f"wrote {path}: gpt2, {sum(p.numel() for p in expected.parameters()):,} values\n"
    state = load_file(path)
    assert "lm_head.weight" not in state  # tied, and written under its first name
    for name, parameter in expected.named_parameters():
        assert torch.equal(state[name], parameter), name
    assert list(tmp_path.iterdir()) == [path]
    loaded = gpt2()
    loaded.load_state_dict(state, strict=False)
    loaded.tie_weights()
    assert torch.equal(loaded.lm_head.weight, expected.lm_head.weight)


def test_dtype_and_parameters(capsys, tmp_path):
    path = tmp_path / "model.safetensors"
    words = ("--model", "torch_models:llama", "--recipe", "llama", "--set", "std=0.5")
    code, _, _ = run(capsys, *words, "--seed", "3", "--dtype", "bfloat16", "--out", str(path))
    assert code == 0
    expected = init_(llama().bfloat16(), "llama", rng=3, std=0.5)
    name = "model.layers.1.self_attn.q_proj.weight"
    assert torch.equal(load_file(path)[name], expected.get_parameter(name))


def test_a_plan_is_printed_and_nothing_is_drawn(capsys):
    words = ("--model", "torch_models:gpt2", "--recipe", "gpt2", "--plan")
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "transformer.h.2.mlp.c_proj.weight" in out
    code, out, _ = run(capsys, *words, "--json")
    rows = json.loads(out)
    assert rows[0]["name"] == "transformer.wte.weight"
    assert rows[0]["rule"] == "N(0, 0.02²)"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "torch_models:gpt2"), "--model takes --recipe"),
        (("--model", "torch_models:gpt2", "--recipe", "gpt2"), "--out FILE.safetensors, or --plan"),
        (("--model", "torch_models", "--recipe", "x", "--plan"), "package.module:factory"),
        (("--model", "torch_models:nothing", "--recipe", "x", "--plan"), "no attribute 'nothing'"),
        (("--model", "nowhere_at_all:f", "--recipe", "x", "--plan"), "No module named"),
        (("--model", "torch_models:CASES", "--recipe", "x", "--plan"), "cannot be built"),
        (("--model", "torch_models:llama_config", "--recipe", "x", "--plan"), "not a module"),
        (("--model", "torch_models:gpt2", "--recipe", "gptt2", "--plan"), "did you mean 'gpt2'"),
        (("--model", "torch_models:gpt2", "--recipe", "gpt2", "--out", "w.npy"), ".safetensors"),
        (("he_normal", "3", "4", "--recipe", "gpt2"), "belong to --model"),
        (("he_normal",), "give NAME and a shape"),
        (("he_normal", "3", "--model", "torch_models:gpt2", "--recipe", "x"), "neither NAME"),
    ],
)
def test_what_cannot_be_is_one_line(capsys, words, message):
    code, _, err = run(capsys, *words)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_dtype_that_a_model_cannot_have_leaves_no_file(capsys, tmp_path):
    path = tmp_path / "model.safetensors"
    words = ("--model", "torch_models:gpt2", "--recipe", "gpt2", "--dtype", "int8")
    code, _, err = run(capsys, *words, "--out", str(path))
    assert code == 2
    assert "invalid choice: 'int8'" in err
    assert not list(tmp_path.iterdir())


def test_lines_of_the_readme_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("initperf draw --model")]
    assert len(lines) == 2
    for line in lines:
        words = shlex.split(line.replace("package.module:factory", "torch_models:gpt2"))
        assert run(capsys, *words[2:])[0] == 0
    assert (tmp_path / "model.safetensors").is_file()


PROOF = """
import torch, initperf.torch
model = torch.nn.ModuleDict({"body": torch.nn.Linear(3, 3), "head": torch.nn.Linear(3, 3)})
initperf.torch.init_(model, "plain", rng=0)
assert model["body"].weight.all() and not model["head"].weight.any()
"""


def test_a_recipe_takes_one_file(tmp_path):
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "initperf", tmp_path / "initperf")
    _, _, after = contributing.partition("`initperf/torch/recipes/plain.py`")
    (block,) = re.findall(r"^```python\n(.*?)^```$", after, re.DOTALL | re.MULTILINE)[:1]
    (tmp_path / "initperf/torch/recipes/plain.py").write_text(block, encoding="utf-8")
    command = [sys.executable, "-c", PROOF]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True)


def test_a_recipe_may_come_from_another_distribution(tmp_path):
    (tmp_path / "other-1.dist-info").mkdir()
    (tmp_path / "other-1.dist-info/METADATA").write_text("Name: other\nVersion: 1\n")
    points = "[initperf.recipes]\nplain = other_recipes\n"
    (tmp_path / "other-1.dist-info/entry_points.txt").write_text(points)
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, _, after = contributing.partition("`initperf/torch/recipes/plain.py`")
    block = re.findall(r"^```python\n(.*?)^```$", after, re.DOTALL | re.MULTILINE)[0]
    (tmp_path / "other_recipes.py").write_text(block, encoding="utf-8")
    path = f"{tmp_path}:{ROOT}"
    command = [sys.executable, "-c", PROOF]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": path}, check=True)


def test_the_example_of_shards_prints_one_digest():
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    example = str(ROOT / "examples" / "sharded.py")
    done = subprocess.run([*command, example], capture_output=True, text=True, check=True)
    found = dict(re.findall(r"^(\d) process\w*: ([0-9a-f]{64})$", done.stdout, re.MULTILINE))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^(\d) process\w*: ([0-9a-f]{64})$", readme, re.MULTILINE))
    assert len(found) == 2
    assert found.items() <= said.items()
