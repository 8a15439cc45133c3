"""Checks change nothing of a model, and keep no activation for their statistics."""

import copy
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from check_trials import vectors
from torch import nn

import initperf.torch

X = vectors()()


def mean_square(x):
    return (x * x).mean()


def convolutional():
    layers = [nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Dropout(0.1)]
    layers += [nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(16 * 16, 10))


def bits(model):
    return {name: x.detach().clone() for name, x in model.state_dict().items()}


def same(model, before):
    return all(torch.equal(x, before[name]) for name, x in model.state_dict().items())


def test_nothing_of_the_model_is_changed():
    model, x = convolutional(), torch.randn(8, 3, 8, 8)
    model[3].eval()
    model(x).sum().backward()
    hooked = []
    model[0].register_forward_hook(lambda *_: hooked.append(1))
    before = bits(model)
    held = [(p, p.grad, p.grad.clone(), p._version) for p in model.parameters()]
    buffers = list(model.buffers())
    flags, hooks = [m.training for m in model.modules()], len(model[0]._forward_hooks)
    words = np.random.get_state()[1].copy()  # noqa: NPY002, the user's own state
    states = torch.get_rng_state(), random.getstate()
    everywhere = dict(nn.modules.module._global_forward_hooks)
    given = x.clone()
    initperf.torch.check(model, x, loss=mean_square, seeds=2, rate=0.1)
    assert same(model, before)
    for parameter, gradient, copied, version in held:
        assert parameter.grad is gradient
        assert torch.equal(gradient, copied)
        assert parameter._version == version
    assert all(a is b for a, b in zip(model.buffers(), buffers, strict=True))
    assert [m.training for m in model.modules()] == flags
    assert len(model[0]._forward_hooks) == hooks
    assert len(hooked) == 2
    assert dict(nn.modules.module._global_forward_hooks) == everywhere
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    np.testing.assert_array_equal(np.random.get_state()[1], words)  # noqa: NPY002
    assert torch.equal(x, given)


class Writing(nn.Module):
    """A model whose forward pass writes to its parameters, its buffers and its batch."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 64)
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        with torch.no_grad():
            self.fc.weight.clamp_(-0.01, 0.01)
            self.fc.bias[3:5] += 1.0
        self.count = self.count + 1.0
        self.extra = None
        return self.fc(x.mul_(2.0))


def test_parameters_that_the_forward_pass_writes_are_restored():
    model, x = Writing(), X.clone()
    before, given = bits(model), x.clone()
    result = initperf.torch.check(model, x, seeds=2)
    assert same(model, before)
    assert torch.equal(x, given)
    # and what was measured is what the model computed, of the weights that it wrote
    found = next(e for e in result.measurements if e.operation.name == "fc")
    with torch.no_grad():
        expected = copy.deepcopy(model)(x.clone())
    assert found.statistics.largest == pytest.approx(expected.abs().max().item(), rel=1e-6)


def test_a_models_own_error_comes_through_and_leaves_it_as_it_was():
    model = convolutional()
    before = bits(model)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        initperf.torch.check(model, torch.randn(8, 3, 12, 12))
    assert same(model, before)
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks


def test_autocast_and_gradient_modes_are_kept():
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        result = initperf.torch.check(model, X)
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_autocast_dtype("cpu") is torch.bfloat16
        assert not torch.is_grad_enabled()
        y = model(X)
        assert y.dtype is torch.bfloat16
        assert not y.requires_grad
    dtypes = {e.operation.name: e.statistics.dtype for e in result.measurements}
    assert dtypes["0"] == dtypes["2"] == "bfloat16"
    weights = {each.name: each.weight for each in result.operations}
    assert (weights["0"], weights["2"]) == ("0.weight", "2.weight")
    assert all(each.reached for each in result.parameters)


def test_hooks_of_parameters_that_step_are_not_run():
    model = nn.Linear(64, 8)
    before = bits(model)

    def step(parameter):
        with torch.no_grad():
            parameter -= parameter.grad

    model.weight.register_post_accumulate_grad_hook(step)
    initperf.torch.check(model, X, loss=mean_square)
    assert same(model, before)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_buffers_of_scripted_modules_and_hooks_of_backward_passes_are_kept():
    norm = nn.BatchNorm1d(64)
    model = nn.Sequential(nn.Linear(64, 64), torch.jit.script(norm), nn.Linear(64, 8))
    called = []
    model[2].register_full_backward_hook(lambda *_: called.append("module"))
    model[2].weight.register_hook(lambda gradient: called.append("parameter"))
    before, hooks = bits(model), [len(each._backward_hooks) for each in model]
    result = initperf.torch.check(model, X, loss=mean_square)
    assert same(model, before)
    assert [len(each._backward_hooks) for each in model] == hooks
    assert len(model[2].weight._backward_hooks) == 1
    assert all(parameter.grad is None for parameter in model.parameters())
    # one pass from cotangents, and one of the loss
    assert sorted(called) == ["module"] * 2 + ["parameter"] * 2
    assert all(each.reached for each in result.parameters)


if sys.platform.startswith("linux"):
    PEAK = """
import os, pathlib, sys, torch
from torch import nn
sys.path[:0] = [{path!r}]
import initperf.torch
torch.set_num_threads(1)
def used(what):
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.partition(what + ":")[2].split()[0])
layers = [each for _ in range(24) for each in (nn.Linear(128, 128), nn.GELU())]
model = nn.Sequential(*layers)
x = torch.randn(16384, 128)
def loss(y):
    return (y * y).mean()
initperf.torch.check(nn.Linear(4, 4), torch.randn(2, 4))  # loads and compiles
def plain():
    loss(model(x)).backward()
def checked():
    initperf.torch.check(model, x, loss)
for measured in (plain, checked):
    child = os.fork()  # PyTorch has one thread here
    if not child:
        pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        base = used("VmRSS")
        measured()
        print(used("VmHWM") - base, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""

    @pytest.mark.slow
    def test_memory_streams():
        """Compare how many KiB two processes need more than before."""
        source = PEAK.format(path=str(Path(initperf.__path__[0]).parent))
        done = subprocess.run(
            [sys.executable, "-c", source],
            env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"},  # glibc gives back what is freed
            capture_output=True,
            text=True,
            check=True,
        )
        own, checked = map(int, done.stdout.split())
        # 48 activations of 8 MiB are kept for the backward pass; statistics must keep no others
        assert own > 0.9 * 48 * 8 * 1024
        assert checked <= 1.3 * own
