"""Checks of whole models against their own forward and backward pass; memory of both.

GPT-2 small takes 8 × 128 tokens, ResNet-50 and ViT-B/16 images of 224 × 224. The ratio is that of
one seed, under the loss and under random cotangents; every model must be found healthy. Memory is
the peak of a process less what it held before the call; its rows are in bytes, as if a byte took a
second.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

START = """
import importlib.util, os, pathlib, torch
os.environ["HF_HUB_OFFLINE"] = "1"
found = importlib.util.find_spec("torchvision")
try:
    if found:
        torch.ops.load_library(next(pathlib.Path(*found.submodule_search_locations).glob("_C*")))
except OSError:  # of the build for CUDA, beside PyTorch's for the CPU: its operators are not called
    if not hasattr(torch.ops.torchvision, "nms"):
        declared = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            declared.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
torch.manual_seed(0)
"""
GPT2 = """
from transformers import GPT2Config, GPT2LMHeadModel
ids = torch.randint(50257, {size})
model = GPT2LMHeadModel(GPT2Config(n_layer={layers}, bos_token_id=0, eos_token_id=1))
batch = {{"input_ids": ids}}
def loss(result):
    logits = result["logits"][:, :-1].flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten())
"""
IMAGES = """
batch = torch.randn({size})
targets = torch.randint(1000, ({size}[0],))
def loss(result):
    return torch.nn.functional.cross_entropy(result, targets)
"""
RESNET = """
from torchvision.models.resnet import Bottleneck, ResNet
model = ResNet(Bottleneck, {layers})
"""
VIT = """
from torchvision.models.vision_transformer import VisionTransformer
model = VisionTransformer({size}[-1], 16, {layers}, 12, 768, 3072)
"""


@dataclass(frozen=True)
class Case:
    """A model of a library.

    Attributes
    ----------
    text : str
        Code that makes ``model``, ``batch`` and ``loss``, of `size` and `layers`.
    needs : str
        The library.
    size, layers : object
        Shape of the batch, and depth.
    small : tuple
        The same where nothing is timed.
    """

    text: str
    needs: str
    size: tuple[int, ...]
    layers: Any
    small: tuple[tuple[int, ...], Any]


CASES = {
    "GPT-2 small": Case(GPT2, "transformers", (8, 128), 12, ((2, 16), 1)),
    "ResNet-50": Case(
        IMAGES + RESNET, "torchvision", (4, 3, 224, 224), [3, 4, 6, 3], ((2, 3, 64, 64), [1] * 4)
    ),
    "ViT-B/16": Case(IMAGES + VIT, "torchvision", (2, 3, 224, 224), 12, ((2, 3, 32, 32), 1)),
}

CALLS = """
def plain():
    loss(model(**batch) if isinstance(batch, dict) else model(batch)).backward()
    model.zero_grad()
def checked():
    import initperf.torch
    result = initperf.torch.check(model, batch, loss)
    result.require()
    return result
"""

PEAK = """
import resource, sys, torch
import initperf.torch
initperf.torch.check(torch.nn.Linear(4, 4), torch.randn(2, 4))  # loads and compiles
def peak():
    if sys.platform == "linux":  # whose ru_maxrss begins with that of the parent process
        import pathlib
        status = pathlib.Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
{name}()
print(peak() - before)
"""


def source(case: Case, enabled: bool) -> str:
    size, layers = (case.size, case.layers) if enabled else case.small
    return START + case.text.format(size=size, layers=layers) + CALLS


def functions(case: Case, enabled: bool) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a forward and backward pass, and a check."""
    held: dict[str, Any] = {}
    exec(compile(source(case, enabled), "model", "exec"), held)
    return held["plain"], held["checked"]


if importlib.util.find_spec("torch"):
    NAMES = [name for name, case in CASES.items() if importlib.util.find_spec(case.needs)]

    @pytest.mark.parametrize("name", NAMES)
    def test_check(ab, benchmark, name):
        benchmark.group = f"check of {name}, against its forward and backward pass"
        ab(*functions(CASES[name], benchmark.enabled))

    if sys.platform != "win32":

        @pytest.mark.parametrize("call", ["plain", "checked"])
        @pytest.mark.parametrize("name", NAMES)
        def test_memory(recorded, benchmark, name, call):
            benchmark.group = f"bytes of a check of {name}, and of its passes"
            text = source(CASES[name], benchmark.enabled) + PEAK.format(name=call)
            command = [sys.executable, "-c", text]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            recorded([float(found.stdout)])
