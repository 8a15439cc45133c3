"""``initperf draw --model``: models into files of safetensors, and their plans."""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch_models import gpt2, llama

from initperf import cli
from initperf.errors import UsageError
from initperf.torch import init_
from initperf.torch.shell import build, save

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


MEMORY = """
import resource, sys
from pathlib import Path
import torch
import initperf.torch
from initperf.torch.shell import build, save
def peak():
    if sys.platform == "linux":  # whose ru_maxrss begins with that of the parent process
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
initperf.torch.draw("normal", (8, 8), rng=0)  # compiled
before = peak()
save(build("wide:model"), "he_normal", Path("m.safetensors"), seed=0, dtype=None, options={})
print(peak() - before)
"""
EXACT = {"MALLOC_MMAP_THRESHOLD_": "65536", "INITPERF_NUM_THREADS": "2"}
"""Variables by which glibc gives back what is freed, and threads are as many on any machine."""

WIDE = """
import torch
def model():
    return torch.nn.Sequential(*(torch.nn.Linear(2048, 2048) for _ in range(16)))
"""


def test_memory_holds_one_parameter_and_not_all(tmp_path):
    (tmp_path / "wide.py").write_text(WIDE)
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ | EXACT
    )
    weight = 4 * 2048**2
    assert (tmp_path / "m.safetensors").stat().st_size > 16 * weight
    # one weight of 16, and half of one for the imports and buffers of writing
    assert int(done.stdout) < 1.5 * weight


def test_buffers_and_what_is_kept_are_written_too(tmp_path):
    class Mixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 4)
            self.norm = torch.nn.BatchNorm1d(4)
            self.register_buffer("own", torch.arange(3), persistent=False)
            self.empty = torch.nn.Parameter(torch.empty(0, 2))

    class Kept(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.mixed = Mixed()
            self.scale = torch.nn.Parameter(torch.tensor(2.5, device="cpu"))

    with torch.device("meta"):
        model = Kept()
    model.mixed.own = torch.arange(3)
    path = tmp_path / "model.safetensors"
    recipe = [("scale", "keep"), ("mixed.empty", "zeros"), ("*.norm.weight", "ones"), ("*", "ones")]
    count = save(model, recipe, path, seed=0, dtype="bfloat16", options={})
    state = load_file(path)
    shapes = {"mixed.layer.weight": (4, 3), "mixed.layer.bias": (4,), "mixed.norm.weight": (4,)}
    shapes |= {"mixed.norm.bias": (4,), "mixed.norm.running_mean": (4,)}
    shapes |= {"mixed.norm.running_var": (4,), "mixed.norm.num_batches_tracked": ()}
    shapes |= {"scale": (), "mixed.empty": (0, 2)}
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == shapes
    assert state["scale"].item() == 2.5
    assert state["scale"].dtype == state["mixed.layer.bias"].dtype == torch.bfloat16
    assert torch.equal(state["mixed.norm.running_var"], torch.ones(4))
    assert state["mixed.norm.num_batches_tracked"].dtype == torch.int64
    assert torch.all(state["mixed.layer.weight"] == 1.0)
    assert count == sum(tensor.numel() for tensor in state.values())


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_text("old")

    def fail(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr("initperf.torch.shell.write", fail)
    with pytest.raises(UsageError, match=r"model\.safetensors cannot be written: no space left"):
        save(build("torch_models:gpt2"), "gpt2", path, seed=0, dtype=None, options={})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_the_mode_is_that_of_a_new_file(tmp_path):
    path = tmp_path / "model.safetensors"
    before = os.umask(0o022)
    try:
        save(build("torch_models:gpt2"), "gpt2", path, seed=0, dtype=None, options={})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


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
        (("he_normal", "3", "4", "--recipe", "gpt2"), "--recipe goes with --model"),
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
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "4"]
    example = str(ROOT / "examples" / "sharded.py")
    done = subprocess.run([*command, example], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^(\d) process\w*: ([0-9a-f]{64})$", done.stdout, re.MULTILINE))
    assert sorted(found) == ["1", "2", "3", "4"]
    assert len(set(found.values())) == 1
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^(\d) process\w*: ([0-9a-f]{64})$", readme, re.MULTILINE))
    assert found == said
