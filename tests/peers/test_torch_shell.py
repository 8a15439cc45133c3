"""``initperf draw --model``: models into files of safetensors, and their plans."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch_models import gpt2, llama

from initperf import cli
from initperf.torch import init_


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
    assert "--dtype must be one of float32" in err
    assert not list(tmp_path.iterdir())
