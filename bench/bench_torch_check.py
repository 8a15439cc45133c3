"""Check of GPT-2 small, 8 × 128 tokens, against its own forward and backward pass; memory of both.

The ratio is that of one seed, under the loss and under random cotangents. Memory is the peak of a
process less the peak before the call; its rows are in bytes, as if a byte took a second.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

MODEL = """
import os
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.manual_seed(0)
ids = torch.randint(50257, ({batch}, {tokens}))
model = GPT2LMHeadModel(GPT2Config(n_layer={layers}, bos_token_id=0, eos_token_id=1))

def loss(result):
    logits = result["logits"][:, :-1].flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten())

def plain():
    loss(model(input_ids=ids)).backward()
    model.zero_grad()

def checked():
    import initperf.torch
    return initperf.torch.check(model, {{"input_ids": ids}}, loss)
"""

PEAK = """
import resource, sys, torch
if {name!r} == "checked":
    import initperf.torch
    initperf.torch.check(torch.nn.Linear(4, 4), torch.randn(2, 4))  # loads and compiles
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{name}()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
KIBIBYTE = 1 if sys.platform == "darwin" else 1024


def source(enabled: bool) -> str:
    sizes = (8, 128, 12) if enabled else (2, 16, 1)
    return MODEL.format(**dict(zip(("batch", "tokens", "layers"), sizes, strict=True)))


def functions(enabled: bool) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a forward and backward pass, and a check."""
    held: dict[str, Any] = {}
    exec(compile(source(enabled), "gpt2", "exec"), held)
    return held["plain"], held["checked"]


if importlib.util.find_spec("torch") and importlib.util.find_spec("transformers"):

    def test_gpt2_small(ab, benchmark):
        benchmark.group = "check of GPT-2 small, against its forward and backward pass"
        plain, checked = functions(benchmark.enabled)
        plain()
        checked()
        ab(plain, checked)

    if sys.platform != "win32":

        @pytest.mark.parametrize("name", ["plain", "checked"])
        def test_memory_of_gpt2_small(recorded, benchmark, name):
            benchmark.group = "bytes of a check of GPT-2 small, and of its passes"
            text = source(benchmark.enabled) + PEAK.format(name=name)
            command = [sys.executable, "-c", text]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            recorded([float(int(found.stdout) * KIBIBYTE)])
